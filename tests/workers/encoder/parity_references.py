"""The expected annotations of each task, from transformers' pipelines if there are any, else after the papers.

Nothing here uses ``workers``. ``tests/workers/tasks/plain.py`` runs one sequence at a time, with eager attention; texts
that are too long for the model are cut into windows by transformers' tokenizers. Tasks that read pairs are in
``parity_pairs.py``, F-coref is in ``parity_coreference.py``.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import transformers

from tests.workers.tasks import plain
from tests.workers.tasks.plain import Window, softmax
from workers.pii.fields import in_cells, without_field_names
from workers.pii.finding import Finding
from workers.pii.learnt import looks_right, trimmed
from workers.pii.wholes import with_whole_names

STRIDE = 12
"""How many tokens two windows share: a quarter of what the tiny models take."""

Annotation: TypeAlias = dict[str, Any]
Settings: TypeAlias = dict[str, Any]


class Event(NamedTuple):
    """``other``, ``far``: texts in its fields, a short one and any one; ``before``: the texts of earlier events."""

    text: str
    other: str
    far: str
    before: tuple[str, ...]


@cache
def read(folder: Path, kind: str, first: str, second: str | None = None, cut: str = "only_first") -> list[Window]:
    """The windows of a text or a pair, each run alone."""
    model = plain.loaded(folder, kind)[1]
    model.set_attn_implementation("eager")
    return plain.read(folder, kind, first, second, cut=cut, stride=STRIDE)


@cache
def pipe(task: str, folder: Path, kind: str) -> Any:
    tokenizer, model = plain.loaded(folder, kind)
    model.set_attn_implementation("eager")
    return cast(Any, transformers.pipeline)(task, model=model, tokenizer=tokenizer, device="cpu")


def labels_of(folder: Path, kind: str = "sequence") -> list[str]:
    return list(plain.loaded(folder, kind)[1].config.id2label.values())


def named(labels: Iterable[str], row: np.ndarray) -> Annotation:
    scores = dict(zip(labels, map(float, row), strict=True))
    best = max(scores, key=scores.__getitem__)
    return {"label": best, "score": scores[best], "scores": scores}


# One text


@cache
def _scores(folder: Path, text: str) -> list[tuple[int, dict[str, float]]]:
    """The weight of each window, and the scores of every label as the text-classification pipeline has them."""
    windows = read(folder, "sequence", text)
    reader = pipe("text-classification", folder, "sequence")
    if len(windows) == 1:
        return [(1, {entry["label"]: entry["score"] for entry in reader(text, top_k=None)})]
    multi = reader.model.config.problem_type == "multi_label_classification"
    rows = [1 / (1 + np.exp(-window.rows)) if multi else softmax(window.rows) for window in windows]
    labels = labels_of(folder)
    scores = [dict(zip(labels, row.tolist(), strict=True)) for row in rows]
    return [(window.weight, of_window) for window, of_window in zip(windows, scores, strict=True)]


def _merged(folder: Path, text: str, how: str) -> dict[str, float]:
    """For each label the mean over windows, weighted by tokens, or the highest."""
    weights, tables = zip(*_scores(folder, text), strict=True)
    if how == "max":
        return {label: max(table[label] for table in tables) for label in tables[0]}
    total = sum(weights)
    return {
        label: sum(weight * table[label] for weight, table in zip(weights, tables, strict=True)) / total
        for label in tables[0]
    }


def classification(folder: Path, event: Event, settings: Settings) -> Annotation:
    merged = _merged(folder, event.text, settings.get("merge", "mean"))
    labels = labels_of(folder)
    return named(labels, np.array([merged[label] for label in labels]))


def moderation(folder: Path, event: Event, settings: Settings) -> Annotation:
    """The taxonomy's names: where two labels have the same name, the highest score counts."""
    names = {"toxic": "toxicity", "insult": "harassment", "offensive": "harassment", "threat": "violence"}
    thresholds = settings["threshold"]
    by_name: dict[str, tuple[float, bool]] = {}
    for label, score in sorted(_merged(folder, event.text, "max").items(), key=lambda pair: -pair[1]):
        name = names.get(label, label)
        over = score >= thresholds.get(label, thresholds["default"])
        highest, flagged = by_name.get(name, (score, False))
        by_name[name] = highest, flagged or over
    return {
        "flagged": any(flagged for _, flagged in by_name.values()),
        "labels": [{"label": name, "score": score, "flagged": flagged} for name, (score, flagged) in by_name.items()],
    }


def language(folder: Path, event: Event, settings: Settings) -> Annotation:
    """The three likeliest of the requested languages, after their scores are scaled to a sum of one."""
    merged = _merged(folder, event.text, "mean")
    asked = {code: merged[code] for code in settings.get("languages", merged)}
    shares = {code: score / sum(asked.values()) for code, score in asked.items()}
    first = sorted(shares, key=shares.__getitem__, reverse=True)[:3]
    return named(first, np.array([shares[code] for code in first]))


# Spans


def _apart(folder: Path, text: str, spans: list[Annotation], label: str) -> list[Annotation]:
    """The pipeline's spans, without white space at their ends; of two that overlap the longer, then the surer."""
    kept = pipe("token-classification", folder, "token").aggregate_overlapping_entities(
        [span for span in spans if span["start"] < span["end"]]
    )
    spans = []
    for span in kept:
        piece = text[span["start"] : span["end"]]
        if bare := piece.strip():
            start = span["start"] + piece.index(bare)
            spans.append({
                "start": start, "end": start + len(bare), "label": span[label], "score": float(span["score"]),
                "text": bare,
            })  # fmt: skip
    return spans


@cache
def _entities(folder: Path, text: str, aggregation: str, threshold: float) -> list[Annotation]:
    """The pipeline's spans, window by window: it cannot apply a threshold before spans compete."""
    reader = pipe("token-classification", folder, "token")
    cut, _, settings = reader._sanitize_parameters(aggregation_strategy=aggregation, stride=STRIDE)
    spans = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about its own heuristic
        for window in reader.preprocess(text, **cut):
            spans += reader.postprocess([{**reader.forward(window), "sentence": text}], **settings)
    return _apart(folder, text, [span for span in spans if span["score"] >= threshold], "entity_group")


def spans(folder: Path, event: Event, settings: Settings) -> Annotation:
    spans = _entities(folder, event.text, settings.get("aggregation", "simple"), settings.get("threshold", 0.0))
    names = {"PER": "PERSON", "LOC": "LOCATION"} if settings["task"] == "ner" else {}
    return {"spans": [{**span, "label": names.get(span["label"], span["label"])} for span in spans]}


def personal(folder: Path, event: Event, settings: Settings) -> Annotation:
    """The pipeline's entities, under Presidio's names and tidied by rules that have tests of their own; and the e-mail
    address of the one text that has one."""
    address = "anna@example.org"
    names = {"PER": "PERSON", "LOC": "LOCATION"}
    text = event.text

    def tidied(finding: Finding) -> list[Finding]:
        bare = without_field_names(finding, text)
        tidy = bare and trimmed(bare, text)
        return [tidy] if tidy else []

    findings: list[Finding] = []
    for span in _entities(folder, text, settings["aggregation"], settings["threshold"]):
        place, label = (span["start"], span["end"]), names[span["label"]]
        findings += tidied(Finding(*place, label, span["score"], "model", checked=False, learnt=True))
    findings = [each for each in in_cells(with_whole_names(findings, text), text) if looks_right(each, text)]
    if address in text:
        # A format that can be checked wins over a model, which keeps what is before and after it.
        start = text.index(address)
        end = start + len(address)
        rest = []
        for each in findings:
            if each.start < start:
                rest += tidied(replace(each, end=min(each.end, start)))
            if each.end > end:
                rest += tidied(replace(each, start=max(each.start, end)))
        findings = [*rest, Finding(start, end, "EMAIL_ADDRESS", 1.0, "", checked=True)]
    return {
        "spans": [
            {"start": each.start, "end": each.end, "label": each.label, "score": each.score,
             "text": text[each.start : each.end]}
            for each in sorted(findings, key=lambda each: each.start)
        ]
    }  # fmt: skip


def _words(encoding: Any, text: str) -> list[list[int]]:
    """The tokens of each word, as the tokenizer splits words before it makes pieces; punctuation apart."""

    def word_of(token: int) -> Any:
        place = encoding.offsets[token]
        is_mark = re.search(r"[^\W_]", text[slice(*place)]) is None
        return encoding.word_ids[token], place if is_mark else None

    groups = [(word, list(tokens)) for (word, _), tokens in groupby(range(len(encoding)), word_of)]
    return [tokens for word, tokens in groups if word is not None]


def tags(folder: Path, event: Event, settings: Settings) -> Annotation:
    """One tag per word: the head's Penn tags, mapped by the table of Universal Dependencies."""
    universal = {"NN": "NOUN", "VBZ": "VERB", "JJ": "ADJ", ".": "PUNCT", "IN": "ADP"}
    labels, words = labels_of(folder, "token"), []
    for window in read(folder, "token", event.text):
        for tokens in _words(window.encoding, event.text):
            rows = softmax(window.rows[tokens])
            settled = {"first": rows[0], "average": rows.mean(axis=0), "max": rows[rows.max(axis=1).argmax()]}
            row = settled[settings["aggregation"]]
            start, end = window.encoding.offsets[tokens[0]][0], window.encoding.offsets[tokens[-1]][1]
            words.append({"start": start, "end": end, "tag": labels[row.argmax()], "score": row.max()})
    spans = _apart(folder, event.text, words, "tag")
    return {"spans": [{**span, "label": universal[span["label"]], "fine": span["label"]} for span in spans]}
