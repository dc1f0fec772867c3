"""``ner`` and ``token-classification``: labelled spans of the text.

The rules are those of transformers' ``TokenClassificationPipeline`` (``pipelines/token_classification.py``), written
over arrays, so that a token labelled ``O`` costs no Python object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import numpy as np
from tokenizers import Encoding

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES
from schemas.pipeline.tasks import PiiTask, PosTask, SpanTask
from workers.encoder.reading import Activation, HeadInfo, Reading, Scores
from workers.tasks.base import Task
from workers.tasks.scores import DECIMALS

OUTSIDE = "O"
Span: TypeAlias = tuple[int, int, str, float]
"""Start, end (half-open, in code points), label, score. A plain tuple, because every word may become a span."""


class _Unit(NamedTuple):
    """A token, or a word with the tokens ``first`` to ``last``; neighbouring units are joined into spans.

    ``start`` and ``end`` are code points, ``label`` is an index.
    """

    first: int
    last: int
    start: int
    end: int
    label: int
    score: float


class Spans(Task):
    """Spans that are sorted by start, do not overlap, and have no white space at their ends.

    ``aggregation``: ``none`` makes every token a span; ``simple`` joins neighbours with the same label (``B-`` starts a
    new span); ``first``, ``average`` and ``max`` first choose one label per word, from its first token, from the mean
    of its tokens' scores, or from its token with the highest score.

    If spans overlap, because two windows contain the same text or several tokens share a character, the longer one is
    kept, then the one with the higher score. Spans below the threshold are dropped before that.

    ``ner`` writes PERSON, LOCATION and ORGANIZATION for their abbreviations; ``token-classification`` keeps the model's
    names.
    """

    head_kind = "token"

    def __init__(self, config: SpanTask | PosTask | PiiTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no labels, or for ``ner`` and ``pii`` no label ``O``."""
        super().__init__(config, head)
        subject = f'task "{config.name}": model "{config.model}"'
        if not head.labels:
            raise ModelError(f"{subject} has no labels for {config.task}")
        if config.task in {"ner", "pii"} and OUTSIDE not in head.labels:
            raise ModelError(
                f'{subject} has no label "{OUTSIDE}" for text outside entities; it has: {", ".join(head.labels[:20])} '
                "(task: token-classification accepts any labels)"
            )
        self._threshold = 0.0 if isinstance(config, PosTask) else config.threshold
        self._aggregation = config.aggregation or head.aggregation or "simple"
        joined = self._aggregation != "none"
        self._kinds = [label[2:] if label.startswith(("B-", "I-")) else label for label in head.labels]
        names = [label.split("-", 1)[-1] if joined else label for label in head.labels]
        self._outside = [name == OUTSIDE for name in names]
        self._inside = np.array([name != OUTSIDE for name in names])
        # A label with B- never joins the unit before it, and without aggregation nothing is joined.
        self._begins = [not joined or label.startswith("B-") for label in head.labels]
        self._names = [_entity(name) for name in names] if config.task == "ner" else names

    def activation(self) -> Activation:
        """Return "softmax"."""
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``spans``, each with ``start``, ``end``, ``label``, ``score`` and ``text``."""
        (reading,) = readings
        text = document.text
        candidates: list[Span] = []
        for window, table in zip(reading.windows, reading.scores, strict=True):
            candidates += self._spans(window, table, text)
        spans = []
        for start, end, label, score in without_overlaps(candidates):
            piece = text[start:end]
            bare = piece.strip()
            if len(bare) != len(piece):
                start += piece.find(bare)
                end = start + len(bare)
            if bare:
                spans.append({"start": start, "end": end, "label": label, "score": score, "text": bare})
        return {"spans": spans}

    def _spans(self, window: Encoding, table: Scores, text: str) -> Iterable[Span]:
        """Yield the spans of one window, from its scores ``[tokens, labels]``."""
        labels = table.argmax(axis=1)
        inside = np.flatnonzero(self._inside[labels])
        if not len(inside):
            return
        if self._aggregation in ("none", "simple"):
            units = self._tokens(window, table, inside.tolist(), labels[inside].tolist())
        else:
            units = self._words(window, table, inside.tolist(), text)
        group: list[_Unit] = []
        for unit in units:
            if group and not self._joins(group[-1], unit):
                yield from self._span(group)
                group = []
            group.append(unit)
        if group:
            yield from self._span(group)

    def _joins(self, last: _Unit, unit: _Unit) -> bool:
        return (
            unit.first == last.last + 1
            and not self._begins[unit.label]
            and self._kinds[unit.label] == self._kinds[last.label]
        )

    def _span(self, group: list[_Unit]) -> Iterator[Span]:
        score = round(sum(unit.score for unit in group) / len(group), DECIMALS)
        start, end = group[0].start, group[-1].end
        if score >= self._threshold and start < end:
            yield start, end, self._names[group[0].label], score

    def _tokens(self, window: Encoding, table: Scores, tokens: list[int], labels: list[int]) -> Iterator[_Unit]:
        for token, label, score in zip(tokens, labels, table[tokens, labels].tolist(), strict=True):
            if (chars := window.token_to_chars(token)) is not None:  # None for special tokens
                yield _Unit(token, token, *chars, label, score)

    def _words(self, window: Encoding, table: Scores, tokens: list[int], text: str) -> Iterator[_Unit]:
        """Yield the words that contain any of ``tokens``, with their labels; all other words are outside."""
        continues = _continues(window, self.head, text)
        words: list[tuple[int, int]] = []
        done = -1
        for token in tokens:
            if token > done:
                first, done = token, token
                while continues(first):
                    first -= 1
                while continues(done + 1):
                    done += 1
                words.append((first, done))
        rows = self._word_scores(table, words)
        labels, scores = rows.argmax(axis=1).tolist(), rows.max(axis=1).tolist()
        for (first, last), label, score in zip(words, labels, scores, strict=True):
            start, end = window.token_to_chars(first), window.token_to_chars(last)
            if start is not None and end is not None and not self._outside[label]:
                yield _Unit(first, last, start[0], end[1], label, score)

    def _word_scores(self, table: Scores, words: Sequence[tuple[int, int]]) -> Scores:
        """Return scores ``[words, labels]`` from those of all tokens, given each word's first and last token."""
        bounds = np.array(words)
        if self._aggregation == "max":
            surest = table.max(axis=1)
            bounds[:, 0] = [
                first + int(surest[first : last + 1].argmax()) if first < last else first for first, last in words
            ]
        if self._aggregation != "average":
            chosen: Scores = table[bounds[:, 0]]
            return chosen
        edges = np.add(bounds, (0, 1)).ravel()
        sums = np.add.reduceat(table, edges[:-1] if edges[-1] == len(table) else edges)[::2]
        means: Scores = np.divide(sums, np.diff(edges)[::2, None], dtype=np.float32)
        return means


def _entity(name: str) -> str:
    """Return an ``ner`` label under glossator's name for the entity; its ``B-`` or ``I-`` stays."""
    prefix = name[:2] if name.startswith(("B-", "I-")) else ""
    kind = name[len(prefix) :]
    return prefix + ENTITIES.get(kind.upper(), kind)


def _continues(window: Encoding, head: HeadInfo, text: str) -> Callable[[int], bool]:
    """Return a function that tells whether token i continues the word of token i - 1.

    It is False for special tokens and outside the window. A word-aware tokenizer marks continuing tokens, which makes
    them longer than their text; with any other tokenizer a word begins after a space. The unknown token is always a
    whole word.
    """
    pieces = window.tokens if head.word_aware else []
    ids = window.ids

    def continues(token: int) -> bool:
        if not 0 < token < len(ids) or ids[token] == head.unk_id:
            return False
        chars = window.token_to_chars(token)
        if chars is None or window.token_to_chars(token - 1) is None:
            return False
        start, end = chars
        if head.word_aware:
            return len(pieces[token]) != end - start
        return start > 0 and " " not in text[start - 1 : start + 1]

    return continues


def without_overlaps(spans: list[Span]) -> list[Span]:
    """Return ``spans`` sorted by start; of two that overlap, the longer one, then the one with the higher score."""
    if not spans:
        return []
    spans.sort(key=itemgetter(0))
    kept = spans[:1]
    for span in spans[1:]:
        start, end, _, score = span
        before, reach, _, sure = kept[-1]
        if start >= reach:
            kept.append(span)
        elif (end - start, score) > (reach - before, sure):
            kept[-1] = span
    return kept
