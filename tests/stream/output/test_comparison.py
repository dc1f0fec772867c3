"""A task and its shadow agree if they say the same, and their labels are paired where they do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.annotations import Classification, Moderation, Paraphrase, Spans
from schemas.document import Annotation
from schemas.pipeline.shadows import COMPARABLE
from stream.output.comparison import NOTHING, Compared, comparison


def label(name: str) -> Annotation:
    return Classification(label=name, score=0.9, scores={name: 0.9}).model_dump()


def flags(*flagged: str, others: tuple[str, ...] = ("spam",)) -> Annotation:
    labels = [{"label": name, "score": 0.9, "flagged": True} for name in flagged]
    labels += [{"label": name, "score": 0.1, "flagged": False} for name in others]
    return Moderation.model_validate({"flagged": bool(flagged), "labels": labels}).model_dump()


def spans(*places: tuple[int, int, str]) -> Annotation:
    entries = [{"start": start, "end": end, "label": name, "score": 0.5} for start, end, name in places]
    return Spans.model_validate({"spans": entries}).model_dump()


def same(value: bool) -> Annotation:
    return Paraphrase(paraphrase=value, score=0.5).model_dump()


@pytest.mark.parametrize(
    ("kind", "first", "second", "expected"),
    [
        ("sentiment", label("good"), label("good"), (True, [("good", "good")], None)),
        ("language", label("en"), label("de"), (False, [("en", "de")], None)),
        ("moderation", flags(), flags(others=("hate",)), (True, [(NOTHING, NOTHING)], (False, False))),
        ("moderation", flags("hate"), flags("hate"), (True, [("hate", "hate")], (True, True))),
        (
            "moderation", flags("hate", "spam"), flags("insult", "spam"),
            (False, [("hate", NOTHING), (NOTHING, "insult"), ("spam", "spam")], (True, True)),
        ),
        ("moderation", flags("hate"), flags(), (False, [("hate", NOTHING)], (True, False))),
        ("paraphrase", same(True), same(False), (False, [("paraphrase", NOTHING)], (True, False))),
        ("paraphrase", same(False), same(False), (True, [(NOTHING, NOTHING)], (False, False))),
        ("ner", spans(), spans(), (True, [(NOTHING, NOTHING)], (False, False))),
        ("pii", spans((0, 3, "PERSON")), spans((0, 3, "PERSON")), (True, [("PERSON", "PERSON")], (True, True))),
        (
            "ner", spans((0, 3, "PER"), (5, 9, "LOC"), (10, 12, "ORG")), spans((0, 3, "ORG"), (5, 8, "LOC")),
            (False, [("LOC", NOTHING), ("ORG", NOTHING), ("PER", "ORG"), (NOTHING, "LOC")], (True, True)),
        ),
        ("pos", spans((0, 3, "NOUN")), spans(), (False, [("NOUN", NOTHING)], (True, False))),
    ],
)  # fmt: skip
def test_each_kind(kind: str, first: Annotation, second: Annotation, expected: Any) -> None:
    compared = comparison(kind)(first, second)
    agree, pairs, flagged = expected
    assert compared == Compared(agree, compared.pairs, flagged)
    assert sorted(compared.pairs) == sorted(pairs)


@pytest.mark.parametrize("kind", COMPARABLE)
def test_every_kind_that_may_have_a_shadow_can_be_compared(kind: str) -> None:
    assert callable(comparison(kind))


PLACES = st.lists(st.tuples(st.integers(0, 3), st.integers(4, 6), st.sampled_from("AB")), max_size=5)


@given(PLACES, PLACES)
def test_each_distinct_span_is_in_one_pair(
    first: list[tuple[int, int, str]], second: list[tuple[int, int, str]]
) -> None:
    compared = comparison("ner")(spans(*first), spans(*second))
    task_labels, shadow_labels = (
        sorted(label for label in side if label != NOTHING) for side in zip(*compared.pairs, strict=True)
    )
    assert task_labels == sorted(place[2] for place in {*first})
    assert shadow_labels == sorted(place[2] for place in {*second})
    assert compared.agree == ({*first} == {*second})
    exact = sum(a == b != NOTHING for a, b in compared.pairs)
    assert exact >= len({*first} & {*second})
