"""Text for a terminal: spans are marked, and control characters are harmless."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from workers.cli.views.events import block, described, headline, highlighted, readable, span_style

EVENT = {
    "text": "Ada\nwent to \x1b[31mÉvora",
    "annotations": {
        "who": {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.998, "text": "Ada"}]},
        "tone": {"label": "positive", "score": 0.9, "scores": {"positive": 0.9, "negative": 0.1}},
        "safety": {
            "flagged": True,
            "labels": [
                {"label": "insult", "score": 0.8, "flagged": True},
                {"label": "hate", "score": 0.1, "flagged": False},
            ],
        },
        "vector": {"vector": [0.1, 0.2, 0.3]},
    },
    "notices": [
        {"task": "tone", "kind": "truncated", "kept": 3, "of": 19},
        {"task": "who", "kind": "unread", "share": 0.8},
    ],
}


@given(st.text())
def test_readable_keeps_every_offset_and_drives_no_terminal(text: str) -> None:
    shown = readable(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(character) == "Cc" for character in shown)
    assert not any(unicodedata.bidirectional(character) in {"RLO", "LRO", "RLE", "LRE", "RLI"} for character in shown)


def test_spans_are_marked_where_they_are() -> None:
    spans = [{"start": 4, "end": 7, "label": "PERSON"}, {"start": 11, "end": 20, "label": "LOCATION"}]
    shown = highlighted("\tHi Ada in Timbuktu", spans)
    assert [(span.start, span.end, span.style) for span in shown.spans] == [
        (4, 7, span_style("PERSON")),
        (11, 19, span_style("LOCATION")),
    ]


def test_of_a_long_text_the_beginning_is_shown() -> None:
    shown = highlighted("word " * 100, [{"start": 400, "end": 404, "label": "PERSON"}], 10)
    assert shown.plain == "word word…"
    assert not shown.spans


def test_several_texts_are_shown_behind_their_paths() -> None:
    spans = [{"start": 3, "end": 6, "label": "PERSON", "score": 0.998, "text": "Ada", "field": "$.b"}]
    shown = block({
        "text": "x\n\nAda", "annotations": {"who": {"spans": spans}},
        "fields": [{"path": "$.a", "start": 0, "end": 1}, {"path": '$["\x1b[2J"]', "start": 3, "end": 6}],
        "notices": [{"kind": "missing", "paths": ["$.c", "$.d"]}],
    })  # fmt: skip
    assert shown.plain.splitlines() == [
        "$.a  x", '$["␛[2J"]  Ada', "  who  Ada PERSON 1.00", "  nothing at $.c, $.d",
    ]  # fmt: skip
    (marked,) = [span for span in shown.spans if span.style == span_style("PERSON")][:1]
    assert shown.plain[marked.start : marked.end] == "Ada"


def test_a_block_says_all_that_was_found() -> None:
    assert block(EVENT).plain.splitlines() == [
        "Ada↵went to ␛[31mÉvora",
        "  who     Ada PERSON 1.00",
        "  tone    positive 0.90",
        "  safety  ⚑ insult 0.80  hate 0.10",
        "  vector  3 dimensions",
        "  tone read 3 of 19 characters",
        "  who: the model does not know 80% of the text",
    ]


def test_a_headline_says_where_an_event_is_from_and_which_routes_took_it() -> None:
    source = {"topic": "posts", "partition": 3, "offset": 7, "key": None, "timestamp_ms": None}
    assert headline({"source": source}).plain == "? posts[3]@7"
    routed = headline({"source": {**source, "timestamp_ms": 86_400_000}, "routed": ["audit", "re\x1bview"]}).plain
    assert routed.startswith("1970-01-0")
    assert routed.endswith(":00 posts[3]@7 → audit → re␛view")


def test_spans_without_text_are_named_by_their_place() -> None:
    spans = [{"start": 0, "end": 3, "label": "PERSON", "score": 0.5}]
    assert described({"spans": spans}).plain == "0-3 PERSON 0.50"
    assert described({"spans": []}).plain == "none"
