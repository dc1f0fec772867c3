"""Names that come back: one label, and found everywhere or nowhere."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tasks.votes import ENOUGH, decided

WORDS = st.lists(st.sampled_from(["Ek", "Lund", "council", "in", "Ekberg", "東京"]), max_size=12)


def found(text: str, *names: tuple[str, int, str, float]) -> list[dict[str, Any]]:
    """Return spans of ``names``: each the text, which of its occurrences it is, label and score."""
    spans = []
    for name, number, label, score in names:
        start = [place.start() for place in re.finditer(re.escape(name), text)][number]
        spans.append({"start": start, "end": start + len(name), "label": label, "score": score, "text": name})
    return sorted(spans, key=lambda span: int(span["start"]))


def test_a_name_that_was_found_at_most_of_its_places_is_found_at_all() -> None:
    text = "Split is old. From Split we saw Hvar. Split!"
    spans = found(text, ("Split", 0, "LOC", 0.9), ("Split", 2, "LOC", 0.6))
    assert decided(text, spans) == [
        *found(text, ("Split", 0, "LOC", 0.9), ("Split", 1, "LOC", 0.5), ("Split", 2, "LOC", 0.6))
    ]


def test_a_name_that_was_found_at_few_of_its_places_is_dropped() -> None:
    text = "The council met Ek. The council sat. The council rose."
    spans = found(text, ("council", 1, "LOC", 0.9), ("Ek", 0, "PER", 0.9))
    assert decided(text, spans) == found(text, ("Ek", 0, "PER", 0.9))


@pytest.mark.parametrize("text", ["Ek met Ekberg and Ek_2.", "Ek met ek and EK.", "東京と東京都 Ek"])
def test_only_whole_words_in_the_same_case_are_places(text: str) -> None:
    spans = found(text, ("Ek", 0, "PER", 0.9))
    assert decided(text, deepcopy(spans)) == spans


def test_what_is_part_of_another_name_is_no_place() -> None:
    text = "Karin Ek met Karin. Karin Ek left; Karin Ek won."
    spans = found(text, ("Karin Ek", 0, "PER", 0.9), ("Karin", 1, "PER", 0.8), ("Karin Ek", 2, "PER", 0.9))
    assert [(span["text"], span["score"]) for span in decided(text, spans)] == [
        ("Karin Ek", 0.9), ("Karin", 0.8), ("Karin Ek", 0.6), ("Karin Ek", 0.9),
    ]  # fmt: skip


def test_a_name_replaces_shorter_ones_at_its_places() -> None:
    text = "Noor Ek, Noor Ek, Noor Ek and Noor"
    spans = found(
        text, ("Noor Ek", 0, "PER", 0.9), ("Noor", 1, "PER", 0.6), ("Ek", 1, "LOC", 0.6), ("Noor Ek", 2, "PER", 0.9)
    )
    assert decided(text, spans) == found(
        text, ("Noor Ek", 0, "PER", 0.9), ("Noor Ek", 1, "PER", 0.6), ("Noor Ek", 2, "PER", 0.9)
    )


def test_the_places_of_a_name_do_not_overlap() -> None:
    text = "Ek Ek, Ek Ek Ek"
    spans = found(text, ("Ek Ek", 0, "PER", 0.96))
    assert decided(text, spans) == found(text, ("Ek Ek", 0, "PER", 0.96), ("Ek Ek", 1, "PER", 0.48))


@pytest.mark.parametrize(
    ("text", "name", "number", "other"),
    [('"(Ek and a Ek, a Ek, a Ek', "a Ek", 0, '"(Ek'), ("Ek Lund met Ek, Ek, Ek", "Ek", 3, "Ek Lund")],
)
def test_a_place_counts_once_although_another_name_has_its_word(text: str, name: str, number: int, other: str) -> None:
    others = found(text, (other, 0, "PER", 0.9))
    assert decided(text, [*others, *found(text, (name, number, "PER", 0.9))]) == others


def test_thousands_of_names_may_begin_with_one_word() -> None:
    """Comparing each place of that word with each name took 18 s, looking it up takes 0.1 s."""
    names = [f"Dr. N{number}" for number in range(5_000)]
    text = ", ".join([*names, *names])
    starts = accumulate((len(name) + 2 for name in names[:-1]), initial=0)
    spans = [
        {"start": start, "end": start + len(name), "label": "PER", "score": 0.9, "text": name}
        for start, name in zip(starts, names, strict=True)
    ]
    assert len(decided(text, spans)) == 2 * len(names)


def test_names_without_letters_stay_as_they_are() -> None:
    spans = found("$ and $ and $", ("$", 1, "ORG", 0.9))
    assert decided("$ and $ and $", deepcopy(spans)) == spans


@given(WORDS, st.data())
def test_the_spans_stay_sorted_apart_and_true_to_the_text(words: list[str], data: st.DataObject) -> None:
    text, at = " ".join(words), 0
    spans: list[dict[str, Any]] = []
    for word in words:
        if data.draw(st.booleans()):
            label, score = data.draw(st.sampled_from(["PER", "LOC"])), data.draw(st.sampled_from([0.25, 0.5, 1.0]))
            spans.append({"start": at, "end": at + len(word), "label": label, "score": score, "text": word})
        at += len(word) + 1
    after = decided(text, deepcopy(spans))
    assert all(text[span["start"] : span["end"]] == span["text"] for span in after)
    assert all(left["end"] <= right["start"] for left, right in pairwise(after))
    labels = {span["text"]: span["label"] for span in after}
    assert all(labels[span["text"]] == span["label"] for span in after)
    for word in set(words):
        named = [span for span in spans if span["text"] == word]
        count, score = words.count(word), sum(span["score"] for span in named)
        decided_together = count if score >= ENOUGH * count else 0
        expected = len(named) if len(named) in (0, count) else decided_together
        assert sum(span["text"] == word for span in after) == expected
