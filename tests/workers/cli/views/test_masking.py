"""What a person sees of events, and what not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.output.units import Unit, table
from tests.noop import pipeline
from workers.cli.views.masking import Masking, in_code_points

TEXT = "🙂 Ada wrote to ada@example.org; Ada Lovelace, Zoë."
PII = {"name": "private", "task": "pii"}
QA = {"name": "answers", "task": "question-answering", "questions": ["Who?"], "model": "starter"}


def span(text: str, label: str) -> dict[str, Any]:
    start = TEXT.index(text)
    return {"start": start, "end": start + len(text), "label": label, "score": 0.9, "text": text}


def event(**more: Any) -> dict[str, Any]:
    return {
        "schema": "glossator.event/1",
        "id": "posts-0-1-01234567",
        "source": {"topic": "posts", "partition": 0, "offset": 1, "key": "ada@example.org", "timestamp_ms": 1},
        "event": {"text": TEXT, "user": "Ada Lovelace"},
        "text": TEXT,
        "annotations": {
            "private": {"spans": [span("ada@example.org", "EMAIL_ADDRESS"), span("Ada Lovelace", "PERSON")]},
            "answers": {"answers": [{"question": "Who?", "answer": span("Ada Lovelace", "X"), "null_score": 0.1}]},
        },
        "models": {},
        "notices": [],
        **more,
    }


def test_personal_data_is_shown_by_its_label() -> None:
    shown = Masking(pipeline(tasks=[PII, QA])).masked(event())
    assert shown["text"] == "🙂 Ada wrote to <EMAIL_ADDRESS>; <PERSON>, Zoë."
    for private in ("ada@example.org", "Lovelace"):
        assert private not in json.dumps(shown, ensure_ascii=False)
    spans = shown["annotations"]["private"]["spans"]
    assert [shown["text"][s["start"] : s["end"]] for s in spans] == ["<EMAIL_ADDRESS>", "<PERSON>"]
    answer = shown["annotations"]["answers"]["answers"][0]["answer"]
    assert answer["text"] == shown["text"][answer["start"] : answer["end"]] == "<PERSON>"
    assert "event" not in shown
    assert shown["source"] == {"topic": "posts", "partition": 0, "offset": 1, "key": None, "timestamp_ms": 1}


def test_without_a_task_that_finds_personal_data_no_text_is_shown() -> None:
    masking = Masking(pipeline(tasks=[QA]))
    assert masking.blind
    shown = masking.masked(event())
    assert "text" not in shown
    assert "Ada" not in json.dumps(shown)


def test_what_the_pipeline_has_redacted_is_shown_as_it_is() -> None:
    redacted = event(redacted={"PERSON": 1})
    shown = Masking(pipeline(tasks=[PII])).masked(redacted)
    assert shown["text"] == TEXT
    assert "event" not in shown


def test_the_parts_of_several_texts_move_with_the_text() -> None:
    end = TEXT.index("Ada Lovelace")
    fields = [{"path": "$.a", "start": 0, "end": end}, {"path": "$.b[0]", "start": end, "end": len(TEXT)}]
    shown = Masking(pipeline(tasks=[PII])).masked(event(fields=fields))
    assert [shown["text"][field["start"] : field["end"]] for field in shown["fields"]] == [
        "🙂 Ada wrote to <EMAIL_ADDRESS>; ", "<PERSON>, Zoë.",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["code_point", "utf16", "utf8"])
def test_offsets_of_any_unit_are_shown_in_code_points(unit: Unit) -> None:
    offsets = table(TEXT, unit) or range(len(TEXT) + 1)
    counted = json.loads(json.dumps(event()))
    for entry in [
        *counted["annotations"]["private"]["spans"],
        counted["annotations"]["answers"]["answers"][0]["answer"],
    ]:
        entry["start"], entry["end"] = offsets[entry["start"]], offsets[entry["end"]]
    assert in_code_points(counted, unit) == event()


def test_what_only_a_shadow_has_found_is_hidden_too_where_it_is_there() -> None:
    shadow = {"name": "more", "task": "pii", "shadow": "private"}
    annotations = {"private": {"spans": []}, "more": {"spans": [span("Ada Lovelace", "PERSON")]}}
    masking = Masking(pipeline(tasks=[PII, shadow]))
    assert not masking.blind
    assert "Lovelace" not in json.dumps(masking.masked(event(annotations=annotations)))
    of_spans = Masking(pipeline(tasks=[{"name": "who", "task": "token-classification", "model": "starter"}, shadow]))
    assert of_spans.blind
