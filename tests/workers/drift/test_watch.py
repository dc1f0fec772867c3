"""A worker's last 24 hours against a reference: what is reported, what is warned of, and what a swap keeps."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from schemas.document import Document, Failure
from workers.drift.reference import Recorder, Reference
from workers.drift.tally import Kind
from workers.drift.watch import FEWEST, Drift

MODEL = {"tone": {"model": "m", "revision": "1"}}


def chosen(label: str, score: float) -> dict[str, Any]:
    return {"label": label, "score": score, "scores": {label: score}}


def flagged(**scores: float) -> dict[str, Any]:
    labels = [{"label": label, "score": score, "flagged": score > 0.5} for label, score in scores.items()]
    return {"flagged": any(entry["flagged"] for entry in labels), "labels": labels}


def spans(*labels: str, score: float = 0.9) -> dict[str, Any]:
    return {"spans": [{"start": 0, "end": 1, "label": label, "score": score} for label in labels]}


def documents(annotations: Sequence[dict[str, Any] | None], unread: int = 0) -> list[Document]:
    made = [Document(None, "x") for _ in annotations]
    for number, (document, annotation) in enumerate(zip(made, annotations, strict=True)):
        if annotation is not None:
            document.annotations["tone"] = annotation
        if number < unread:
            document.notices = [{"task": "tone", "kind": "unread", "share": 1.0}]
    return made


def reference(kind: Kind, made: Sequence[Document]) -> Reference:
    recorder = Recorder(kind)
    for document in made:
        recorder.see("tone", document)
    recorded = recorder.reference()
    assert recorded is not None
    return Reference.model_validate(recorded.model_dump())


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def sample(seed: int, count: int, annotations: Callable[[random.Random], dict[str, Any]]) -> list[Document]:
    rng = random.Random(seed)
    return documents([annotations(rng) for _ in range(count)])


SAMPLES: dict[
    str, tuple[Kind, Callable[[random.Random], dict[str, Any]], dict[str, Callable[[random.Random], Any]]]
] = {
    "classification": (
        "classification",
        lambda rng: chosen(rng.choice("aab"), rng.uniform(0.5, 1)),
        {
            "labels": lambda rng: chosen(rng.choice("abbbb"), rng.uniform(0.5, 1)),
            "scores": lambda rng: chosen(rng.choice("aab"), rng.uniform(0.5, 0.7)),
        },
    ),
    "moderation": (
        "moderation",
        lambda rng: flagged(insult=rng.random() ** 4, threat=rng.random() ** 4),
        {
            "labels": lambda rng: flagged(insult=0.9 if rng.random() < 0.6 else rng.random() ** 4, threat=0.0001),
            "scores": lambda rng: flagged(insult=rng.random() ** 4, threat=0.2 + rng.random() * 0.1),
        },
    ),
    "spans": (
        "spans",
        lambda rng: spans(*rng.choice([("A",), ("A", "B"), ()]), score=rng.uniform(0.5, 1)),
        {
            "labels": lambda rng: spans(*rng.choice([("B",), ("B", "C"), ()]), score=rng.uniform(0.5, 1)),
            "scores": lambda rng: spans(*rng.choice([("A",), ("A", "B"), ()]), score=rng.uniform(0.3, 0.6)),
        },
    ),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_has_changed_is_told(name: str) -> None:
    kind, usual, changes = SAMPLES[name]
    known = reference(kind, sample(1, 400, usual))
    same = Drift({"tone": known}, MODEL, Clock())
    same.note(sample(2, 5000, usual))
    assert all(value < 0.02 for value in same.report().values())
    for what, change in changes.items():
        changed = Drift({"tone": known}, MODEL, Clock())
        changed.note(sample(3, 5000, change))
        assert changed.report()["tone", what] > 0.25, what
        assert changed.report()["tone", "unread"] == 0


def test_unread_texts_count_with_and_without_their_annotation() -> None:
    usual = [chosen("a", 0.9)] * 500
    known = reference("classification", documents(usual))
    for entries in (usual, [None] * 200 + usual[200:]):
        drift = Drift({"tone": known}, MODEL, Clock())
        drift.note(documents(entries, unread=200))
        assert drift.report()["tone", "unread"] > 0.25


def test_the_last_day_counts_and_too_few_events_tell_nothing() -> None:
    clock = Clock()
    known = reference("classification", documents([chosen("a", 0.9), chosen("b", 0.8)] * 50))
    drift = Drift({"tone": known}, MODEL, clock)
    drift.note(documents([chosen("a", 0.9)] * (FEWEST - 1)))
    assert drift.report() == {}
    clock.now += 3 * 3600
    drift.note(documents([chosen("b", 0.9)] * FEWEST))
    assert drift.watches[0].recent().labels == {"a": FEWEST - 1, "b": FEWEST}
    assert drift.report()["tone", "labels"] < 0.25
    clock.now += 21 * 3600
    assert drift.watches[0].recent().labels == {"b": FEWEST}
    assert drift.report()["tone", "labels"] > 0.25
    for _ in range(1000):
        clock.now += 3600
        drift.note(documents([chosen("a", 0.9)]))
    assert drift.report() == {}
    assert len(drift.watches[0]._hours) == 24


def test_it_warns_once_a_day_and_names_labels_but_no_text(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    known = reference("moderation", documents([flagged(insult=0.1, threat=0.1)] * 500))
    drift = Drift({"tone": known}, MODEL, clock)
    with caplog.at_level(logging.WARNING, "glossator"):
        for _ in range(48):
            drift.note(documents([flagged(insult=0.9, threat=0.1)] * 200))
            drift.report()
            clock.now += 3600
    days = {int((clock.now - hours * 3600) // 86_400) for hours in range(1, 49)}
    assert len(caplog.messages) == len(days)
    assert caplog.messages[0].startswith('task "tone" has drifted: labels ')
    assert "(insult)" in caplog.messages[0] and "threat" not in caplog.messages[0]


def test_a_swap_keeps_the_numbers_of_what_has_not_changed() -> None:
    known = reference("classification", documents([chosen("a", 0.9), chosen("b", 0.8)] * 50))
    other = reference("classification", documents([chosen("a", 0.9)] * 50))
    before = Drift({"tone": known}, MODEL, Clock())
    before.note(documents([chosen("a", 0.9)] * FEWEST))
    for references, models, kept in (
        ({"tone": known}, MODEL, True),
        ({"tone": other}, MODEL, False),
        ({"tone": known}, {"tone": {"model": "m", "revision": "2"}}, False),
        ({}, {}, False),
    ):
        after = Drift(references, models, Clock())
        after.go_on_from(before)
        assert bool(after.report()) is kept


def test_failed_documents_and_other_tasks_do_not_count() -> None:
    known = reference("classification", documents([chosen("a", 0.9)] * 50))
    drift = Drift({"tone": known}, MODEL, Clock())
    failed = documents([chosen("a", 0.9)] * FEWEST)
    for document in failed:
        document.failure = Failure("forward", "E", "")
    others = documents([None] * FEWEST)
    for document in others:
        document.notices = [{"task": "else", "kind": "unread", "share": 1.0}, {"kind": "missing", "paths": []}]
    drift.note([*failed, *others])
    assert drift.report() == {}
