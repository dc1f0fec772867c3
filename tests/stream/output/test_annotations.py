"""Annotations and notices of a text that was changed: ranges slice what is published, and quotes are those."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.document import Part
from schemas.pipeline.config import Pipeline
from stream.output.annotations import Annotations, Ranges, rewritten_notices
from stream.output.redaction.offsets import Offsets

TEXT = "Ada 😂 met Bob"
EDITS = [(0, 3, "<A>_"), (10, 13, "")]
PUBLISHED = "<A>_ 😂 met "
TASKS = [
    {"name": "who", "task": "ner", "model": "m"},
    {"name": "links", "task": "coreference", "model": "m"},
    {"name": "about", "task": "aspect-sentiment", "model": "m", "aspects": "$.aspects"},
    {"name": "fixed", "task": "aspect-sentiment", "model": "m", "aspects": ["Ada"]},
    {"name": "asked", "task": "question-answering", "model": "m", "question": "$.question"},
    {"name": "always", "task": "question-answering", "model": "m", "questions": ["Where is Ada?"]},
    {"name": "tone", "task": "sentiment", "model": "m"},
    {"name": "mine", "task": "custom", "use": "a.b:C"},
]
ANNOTATIONS = Annotations(
    Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"]}, "tasks": TASKS,
        "output": {"topic": "out"},
    }).tasks
)  # fmt: skip


def ranged(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, **more}


def rewritten(name: str, annotation: dict[str, Any], ranges: Ranges | None = None) -> Any:
    ranges = ranges or Ranges(TEXT, "code_point", Offsets(TEXT, EDITS))
    return ANNOTATIONS.rewritten({name: annotation}, ranges, lambda text: text.replace("Ada", "<A>"))[name]


def test_spans_slice_the_published_text() -> None:
    spans = [ranged(0, 3, label="P", text="Ada"), ranged(1, 8, label="X", text="da 😂 me"), ranged(10, 13, text="Bob")]
    assert rewritten("who", {"spans": spans}) == {"spans": [
        ranged(0, 4, label="P", text="<A>_"), ranged(0, 9, label="X", text="<A>_ 😂 me"), ranged(11, 11, text=""),
    ]}  # fmt: skip
    assert spans[0] == ranged(0, 3, label="P", text="Ada")


def test_mentions_answers_and_aspects_do_too() -> None:
    assert rewritten("links", {"clusters": [{"spans": [ranged(0, 3, text="Ada"), ranged(4, 5, text="😂")]}]}) == {
        "clusters": [{"spans": [ranged(0, 4, text="<A>_"), ranged(5, 6, text="😂")]}]
    }
    answer, moved = ranged(0, 5, score=0.5, text="Ada 😂"), ranged(0, 6, score=0.5, text="<A>_ 😂")
    asked = {"question": "Is Ada in?", "answer": answer, "null_score": 0.1, "alternatives": [answer]}
    assert rewritten("asked", {"answers": [asked, {**asked, "answer": None, "alternatives": None}]}) == {"answers": [
        {"question": "Is <A> in?", "answer": moved, "null_score": 0.1, "alternatives": [moved]},
        {"question": "Is <A> in?", "answer": None, "null_score": 0.1, "alternatives": None},
    ]}  # fmt: skip
    aspects = [{"aspect": "Ada", "label": "good"}, ranged(0, 3, aspect="Ada", label="bad")]
    assert rewritten("about", {"aspects": aspects}) == {
        "aspects": [{"aspect": "<A>", "label": "good"}, ranged(0, 4, aspect="<A>_", label="bad")]
    }


def test_words_of_the_pipeline_file_stay() -> None:
    aspects = {"aspects": [{"aspect": "Ada", "label": "good"}]}
    assert rewritten("fixed", aspects) == aspects
    asked = {"answers": [{"question": "Where is Ada?", "answer": None, "null_score": 1.0}]}
    assert rewritten("always", asked) == asked
    tone = {"label": "Ada", "score": 1.0, "scores": {"Ada": 1.0}}
    assert rewritten("tone", tone) is tone


def test_strings_and_ranges_of_custom_tasks_are_rewritten_at_any_depth() -> None:
    made = {
        "custom": [
            {"Ada": ("Ada", 3, None)},
            {"of": ranged(0, 3, text="Ada", note="Ada")},
            ranged(2, 99),
            ranged(True, 3),
        ]
    }
    assert rewritten("mine", made) == {
        "custom": [
            {"<A>": ["<A>", 3, None]},
            {"of": ranged(0, 4, text="<A>_", note="<A>")},
            ranged(2, 99),
            ranged(True, 3),
        ]
    }


@pytest.mark.parametrize(("unit", "end", "original"), [("code_point", 6, 5), ("utf16", 7, 6), ("utf8", 9, 8)])
def test_offsets_count_the_unit_of_the_published_and_of_the_original_text(unit: Any, end: int, original: int) -> None:
    ranges = Ranges(TEXT, unit, Offsets(TEXT, EDITS), originals=True)
    (span,) = rewritten("who", {"spans": [ranged(0, 5, text="Ada 😂")]}, ranges)["spans"]
    assert span == ranged(0, end, text="<A>_ 😂", original_start=0, original_end=original)
    encoded = ranges.text.encode("utf-16-le" if unit == "utf16" else "utf-8")
    if unit != "code_point":
        assert encoded[: end * (1 + (unit == "utf16"))].decode("utf-16-le" if unit == "utf16" else "utf-8") == "<A>_ 😂"


def test_nothing_to_rewrite_is_known() -> None:
    assert Ranges("ASCII", "utf16").same
    assert not Ranges("😂", "utf16").same
    assert not Ranges("ASCII", "code_point", originals=True).same


def test_a_spans_field_follows_its_path() -> None:
    ranges = Ranges(TEXT, "utf16", Offsets(TEXT, EDITS))
    parts = [Part("$.Ada", 0, 5, ("Ada",)), Part("$.b", 6, 13, ("b",))]
    moved = ranges.moved_parts(parts, lambda text: text.replace("Ada", "<A>"))
    assert moved == (Part("$.<A>", 0, 7, ("Ada",)), Part("$.b", 8, 12, ("b",)))
    spans = [ranged(0, 3, field="$.Ada"), ranged(0, 3, field="$.b")]
    assert [span["field"] for span in rewritten("who", {"spans": spans}, ranges)["spans"]] == ["$.<A>", "$.b"]


def test_notices_count_characters_of_the_published_text_and_name_its_paths() -> None:
    notices = [
        {"task": "who", "kind": "truncated", "kept": 3, "of": 13}, {"kind": "replaced", "paths": ["$.Ada"], "count": 1},
    ]  # fmt: skip
    ranges = Ranges(TEXT, "utf8", Offsets(TEXT, EDITS))
    assert rewritten_notices(notices, ranges, lambda text: text.replace("Ada", "<A>")) == [
        {"task": "who", "kind": "truncated", "kept": 4, "of": len(PUBLISHED.encode())},
        {"kind": "replaced", "paths": ["$.<A>"], "count": 1},
    ]
