"""``ner`` and ``token-classification``: labelled spans of the text.

The rules are those of transformers' ``TokenClassificationPipeline`` (``pipelines/token_classification.py``), written
over arrays, so that a token labelled ``O`` costs no Python object. Heads whose labels also mark the end of a span
(BIOES and its relatives, see ``workers/tasks/schemes.py``), and heads that have learnt which label follows which, get
the most probable sequence of labels instead (``workers/tasks/decoding.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from tokenizers import Encoding

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES, PERSONAL
from schemas.pipeline.tasks import PiiTask, PosTask, SpanTask
from schemas.pipeline.wording import did_you_mean
from workers.encoder.reading import Activation, HeadInfo, Reading, Scores
from workers.tasks.base import Task
from workers.tasks.decoding import Decoder
from workers.tasks.lines import lines, without_symbols
from workers.tasks.schemes import OUTSIDE, Scheme, scheme_of
from workers.tasks.scores import DECIMALS
from workers.tasks.votes import alike, decided
from workers.tasks.word_tokens import word_scores, words_of

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

    If the scheme of the labels forbids some sequences, tokens or words get the most probable sequence, and the score of
    each is the sum over the labels of its kind; so do words if the head has learnt which label follows which. A span's
    score is the mean of its tokens or words.

    If spans overlap, because two windows contain the same text or several tokens share a character, the longer one is
    kept, then the one with the higher score. Spans below the threshold of their label are dropped before that.

    With ``vote``, names that come back are decided together, see ``workers.tasks.votes``, and thresholds come last.

    ``ner`` writes PERSON, LOCATION and ORGANIZATION for their abbreviations; ``token-classification`` keeps the model's
    names.
    """

    head_kind = "token"

    def __init__(
        self,
        config: SpanTask | PosTask | PiiTask,
        head: HeadInfo,
        minimum: Callable[[str], float] | None = None,
        on_several_lines: Callable[[str], bool] = lambda label: False,
    ) -> None:
        """Check that the head fits the task.

        Args:
            config: the entry of the pipeline file.
            head: the labels of the head.
            minimum: label -> the lowest score of a span; default: as ``config.threshold`` says.
            on_several_lines: label -> whether its spans may continue after a line break, as addresses do.

        Raises:
            ModelError: if the head has no labels, or for ``ner`` and ``pii`` no label ``O``; if ``config.threshold``
                names a label that the head lacks.
        """
        super().__init__(config, head)
        subject = f'model "{config.model}"'
        if not head.labels:
            raise ModelError(f"{subject} has no labels for {config.task}")
        if config.task in {"ner", "pii"} and OUTSIDE not in head.labels:
            raise ModelError(
                f'{subject} has no label "{OUTSIDE}" for text outside entities; it has: {", ".join(head.labels[:20])} '
                "(task: token-classification accepts any labels)"
            )
        self._vote = isinstance(config, SpanTask) and (head.vote if config.vote is None else config.vote)
        # No entity begins or ends with an emoji, but an emoji is a part of speech.
        self._symbols = "" if isinstance(config, PosTask) else head.symbols
        self._aggregation = config.aggregation or head.aggregation or "simple"
        joined = self._aggregation != "none"
        self._scheme = scheme = scheme_of(head.labels)
        # ``pii`` translates the names itself, and has no use for positions.
        names = scheme.names if joined else scheme.kinds if config.task == "pii" else head.labels
        self._outside = [name == OUTSIDE for name in names]
        self._inside = np.array([name != OUTSIDE for name in names])
        # Without aggregation nothing is joined.
        self._joined = scheme.joins.tolist() if joined else [[False] * len(names)] * len(names)
        # Transitions are between words.
        learnt = head.transitions if self._aggregation in ("first", "average", "max") else None
        self._decodes = joined and (scheme.constrained or learnt is not None)
        self._decoder = Decoder(scheme, learnt)
        self._names = _translated(names, scheme) if config.task == "ner" else list(names)
        self._on_several_lines = frozenset(filter(on_several_lines, self._names))
        self.labels = [name for name, outside in zip(self._names, self._outside, strict=True) if not outside]
        if minimum is not None:
            self._minimum = list(map(minimum, names))
        else:
            threshold = config.threshold if isinstance(config, SpanTask) else {}
            self._minimum = self._thresholds(threshold, scheme, subject)
        self._lowest = dict(zip(self._names, self._minimum, strict=True))

    def _thresholds(self, threshold: float | Mapping[str, float], scheme: Scheme, subject: str) -> list[float]:
        """Return the lowest score of each label; a label may be named as in the event, or as the model does."""
        if not isinstance(threshold, Mapping):
            return [threshold] * len(scheme.kinds)
        spellings = list(zip(self._names, scheme.names, scheme.kinds, strict=True))
        inside = [spelling for spelling, outside in zip(spellings, self._outside, strict=True) if not outside]
        known = dict.fromkeys(name for names in zip(*inside, strict=True) for name in names)
        for label in sorted(threshold.keys() - {"default"} - known.keys()):
            hint = did_you_mean(label, known) or f"; it has: {', '.join(dict.fromkeys(names[0] for names in inside))}"
            raise ModelError(f'{subject} has no label "{label}" to set a threshold for{hint}')
        fallback = threshold.get("default", 0.0)
        return [next((threshold[name] for name in names if name in threshold), fallback) for names in spellings]

    def activation(self) -> Activation:
        """Return "softmax"."""
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``spans``, each with ``start``, ``end``, ``label``, ``score`` and ``text``."""
        text = document.text
        candidates: list[Span] = []
        for (first, last), reading in zip(self._ranges(document), readings, strict=True):
            for window, table in zip(reading.windows, reading.scores, strict=True):
                of_window = self._spans(window, table, text[first:last])
                candidates += _moved(of_window, first) if first else of_window
        spans: list[dict[str, Any]] = []
        for whole_start, whole_end, label, score in without_overlaps(candidates):
            several = label in self._on_several_lines
            whole = (whole_start, whole_end)
            for start, end in lines(text, *whole, several=several) if self._symbols else (whole,):
                piece = text[start:end]
                bare = without_symbols(piece, self._symbols)
                if len(bare) != len(piece):
                    start += piece.find(bare)
                    end = start + len(bare)
                if bare:
                    spans.append({"start": start, "end": end, "label": label, "score": score, "text": bare})
        if self._vote:
            # Single tokens are no names.
            if self._aggregation == "none":
                alike(spans)
            else:
                spans = decided(text, spans)
            spans = [span for span in spans if span["score"] >= self._lowest[span["label"]]]
        return {"spans": spans}

    def _ranges(self, document: Document) -> list[tuple[int, int]]:
        """Return what each of the inputs is of the text: start and end."""
        return [(0, len(document.text))]

    def _spans(self, window: Encoding, table: Scores, text: str) -> Iterable[Span]:
        """Yield the spans of one window, from its scores ``[tokens, labels]``."""
        if self._decodes:
            tokens = self._decoder.candidates(table)
            units = self._together(window, table, tokens.tolist(), text) if len(tokens) else iter(())
        else:
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
            if group and not (unit.first == group[-1].last + 1 and self._joined[group[-1].label][unit.label]):
                yield from self._span(group)
                group = []
            group.append(unit)
        if group:
            yield from self._span(group)

    def _span(self, group: list[_Unit]) -> Iterator[Span]:
        score = round(sum(unit.score for unit in group) / len(group), DECIMALS)
        start, end, label = group[0].start, group[-1].end, group[0].label
        # What is below its threshold has a vote all the same.
        if (self._vote or score >= self._minimum[label]) and start < end:
            yield start, end, self._names[label], score

    def _together(self, window: Encoding, table: Scores, tokens: Sequence[int], text: str) -> Iterator[_Unit]:
        """Yield those of ``tokens``, or of the words that contain any, that are in spans; all others are outside.

        They get the most probable sequence of labels.
        """
        content = [token for token in tokens if window.token_to_chars(token) is not None]  # None for special tokens
        if not content:
            return
        words = self._aggregation != "simple"
        units = words_of(content, window, self.head, text) if words else [(token, token) for token in content]
        bounds = np.array(units)
        first, last = table[bounds[:, 0]], table[bounds[:, 1]]
        scores = self._scheme.of_words(word_scores(table, units, self._aggregation), first, last) if words else first
        offsets = window.offsets
        starts, ends = [offsets[token][0] for token, _ in units], [offsets[token][1] for _, token in units]
        (before, _), (_, after) = units[0], units[-1]
        edges = (
            _is_closed(window, before - 1, text[: starts[0]]), _is_closed(window, after + 1, text[ends[-1] :])
        )  # fmt: skip
        labels = self._decoder.decode(scores, bounds[1:, 0] > bounds[:-1, 1] + 1, edges)
        for unit, start, end, label, row in zip(units, starts, ends, labels, scores, strict=True):
            if not self._outside[label]:
                yield _Unit(*unit, start, end, label, min(1.0, float(row[self._scheme.same_kind[label]].sum())))

    def _tokens(self, window: Encoding, table: Scores, tokens: list[int], labels: list[int]) -> Iterator[_Unit]:
        for token, label, score in zip(tokens, labels, table[tokens, labels].tolist(), strict=True):
            if (chars := window.token_to_chars(token)) is not None:  # None for special tokens
                yield _Unit(token, token, *chars, label, score)

    def _words(self, window: Encoding, table: Scores, tokens: list[int], text: str) -> Iterator[_Unit]:
        """Yield the words that contain any of ``tokens``, with their labels; all other words are outside."""
        words = words_of(tokens, window, self.head, text)
        rows = word_scores(table, words, self._aggregation)
        labels, scores = rows.argmax(axis=1).tolist(), rows.max(axis=1).tolist()
        for (first, last), label, score in zip(words, labels, scores, strict=True):
            start, end = window.token_to_chars(first), window.token_to_chars(last)
            if start is not None and end is not None and not self._outside[label]:
                yield _Unit(first, last, start[0], end[1], label, score)


def _is_closed(window: Encoding, neighbour: int, beyond: str) -> bool:
    """Return whether no span reaches beyond the outermost unit: the text ends there, or its neighbour is outside.

    ``neighbour``: the token next to it, which is outside unless it is a special one; ``beyond``: the text on that side.
    """
    if 0 <= neighbour < len(window.ids) and window.token_to_chars(neighbour) is not None:
        return True
    return not beyond.strip()


def _moved(spans: Iterable[Span], by: int) -> Iterator[Span]:
    return ((start + by, end + by, label, score) for start, end, label, score in spans)


def _translated(names: Sequence[str], scheme: Scheme) -> list[str]:
    """Return ``ner`` labels under glossator's names for the entities; a position (``B-``) stays."""
    translated = []
    for name, kind in zip(names, scheme.kinds, strict=True):
        part = kind if kind in name else name
        entity = ENTITIES.get(part.upper(), PERSONAL.get(part.upper(), part))
        translated.append(name.replace(part, entity))
    return translated


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
