"""Spans become pieces: overlaps and neighbours merged, with the label and the group that are documented."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RedactError
from stream.output.redaction.spans import pieces

TEXT = "Mrs Ada Lovelace, Bob and Ada's cat; +44 20 7946-0018\nLee"


def span(text: str, label: str, score: float = 0.9, after: int = 0) -> dict[str, Any]:
    start = TEXT.index(text, after)
    return {"start": start, "end": start + len(text), "label": label, "score": score, "text": text}


def merged(*spans: dict[str, Any]) -> list[tuple[str, str]]:
    cut = pieces(TEXT, [{"spans": [entry]} for entry in spans])
    return [(TEXT[piece.start : piece.end], piece.label) for piece in cut]


def test_the_longest_of_overlapping_spans_gives_the_label() -> None:
    assert merged(span("Ada", "FIRST", 0.99), span("Ada Lovelace", "PERSON", 0.5)) == [("Ada Lovelace", "PERSON")]
    assert merged(span("Ada Love", "X"), span("Lovelace", "Y")) == [("Ada Lovelace", "X")]
    assert merged(span("Ada Lov", "X"), span("Lovelace", "Y")) == [("Ada Lovelace", "Y")]
    assert merged(span("Ada", "LOW", 0.5), span("Ada", "HIGH", 0.6)) == [("Ada", "HIGH")]
    assert merged(span("Ada", "ONE"), span("Ada", "TWO")) == [("Ada", "ONE")]


def test_a_chain_of_overlaps_is_one_piece() -> None:
    assert merged(span("Ada L", "A"), span("Lovelace, Bob", "B"), span("Bob and", "C")) == [
        ("Ada Lovelace, Bob and", "B")
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Ada", "Lovelace", ["Ada Lovelace"]),
        ("7946", "0018", ["7946-0018"]),
        ("Lovelace", "Bob", ["Lovelace", "Bob"]),
        ("0018", "Lee", ["0018", "Lee"]),
        ("cat", "+44", ["cat", "+44"]),
        ("Bob", "Ada's", ["Bob", "Ada's"]),
    ],
)
def test_only_what_joins_words_is_redacted_between_neighbours(first: str, second: str, expected: list[str]) -> None:
    after = TEXT.index(first)
    assert merged(span(first, "X"), span(second, "X", after=after)) == [(text, "X") for text in expected]
    assert merged(span(first, "X"), span(second, "Y", after=after)) == [(first, "X"), (second, "Y")]


@pytest.mark.parametrize("label", ["EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "URL"])
def test_a_space_separates_values_that_have_no_spaces(label: str) -> None:
    def found(text: str, *parts: str) -> list[str]:
        spans = [{"start": text.index(part), "end": text.index(part) + len(part)} for part in parts]
        entries = [{**place, "label": label, "score": 1.0} for place in spans]
        return [text[piece.start : piece.end] for piece in pieces(text, [{"spans": entries}])]

    assert found("to ada@a.org bob@b.org", "ada@a.org", "bob@b.org") == ["ada@a.org", "bob@b.org"]
    assert found("to ada-lee@a.org", "ada", "lee@a.org") == ["ada-lee@a.org"]
    assert found("to ada@a.org", "ada@", "a.org") == ["ada@a.org"]


def test_mentions_give_groups_with_one_word_before_and_a_genitive_behind() -> None:
    later = TEXT.index("Ada's")
    spans = [span("Ada Lovelace", "PERSON"), span("Bob", "PERSON"), span("Ada", "PERSON", after=later)]
    clusters = [
        {"spans": [span("Bob and Ada's cat", ""), span("Lee", "")]},
        {"spans": [span("Mrs Ada Lovelace", ""), span("Ada's", "", after=later)]},
    ]
    assert [piece.group for piece in pieces(TEXT, [{"spans": spans}], clusters)] == [1, None, 1]


def test_without_spans_there_is_nothing_to_redact() -> None:
    assert pieces(TEXT, [{"label": "calm"}, {"spans": []}]) == []
    assert pieces(TEXT, [{"spans": [{"start": 3, "end": 3, "label": "X", "score": 1.0}]}]) == []


@given(
    st.text("ab ,.-\n", min_size=1, max_size=40).flatmap(
        lambda text: st.tuples(
            st.just(text),
            st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 9), st.sampled_from("XYZ")), max_size=8),
        )
    )
)
def test_pieces_cover_all_spans_and_are_apart(drawn: tuple[str, list[tuple[int, int, str]]]) -> None:
    text, ranges = drawn
    spans: list[dict[str, Any]] = [
        {"start": start, "end": min(start + width, len(text)), "label": label, "score": 0.5}
        for start, width, label in ranges
    ]
    cut = pieces(text, [{"spans": spans}])
    for before, behind in pairwise(cut):
        assert before.end <= behind.start
    for entry in spans:
        assert any(piece.start <= entry["start"] and entry["end"] <= piece.end for piece in cut)
    assert {range_ for piece in cut for range_ in piece.spans or [piece[:2]]} == {
        (entry["start"], entry["end"]) for entry in spans
    }
    covered = {index for entry in spans for index in range(entry["start"], entry["end"])}
    redacted = {index for piece in cut for index in range(piece.start, piece.end)}
    assert {text[index] for index in redacted - covered} <= set(" .-")


@pytest.mark.parametrize("ranges", [[(-1, 3)], [(0, 6)], [(6, 10)], [(3, 1)], [(1, 2), (4, 3)], [(4, 2), (5, 5)]])
def test_a_span_outside_of_the_text_is_refused(ranges: list[tuple[int, int]]) -> None:
    spans = [{"start": start, "end": end, "label": "A", "score": 0.5} for start, end in ranges]
    with pytest.raises(RedactError, match="not a range of the text"):
        pieces("12345", [{"spans": spans}])
