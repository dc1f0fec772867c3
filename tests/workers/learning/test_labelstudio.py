"""Label Studio's export gives the same rows as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import LabelsError
from workers.learning.examples import Task
from workers.learning.loading import Sources, load_examples


def export(folder: Path, *tasks: Any) -> Path:
    file = folder / "export.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    return file


def task(text: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text}, "annotations": [{"result": list(results), **more}]}


def choice(*labels: str, control: str = "tone") -> dict[str, Any]:
    return {"type": "choices", "from_name": control, "to_name": "text", "value": {"choices": list(labels)}}


def region(start: int, end: int, label: str, text: str | None = None) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [label], **({"text": text} if text is not None else {})}
    return {"type": "labels", "from_name": "label", "to_name": "text", "value": value}


def test_choices_are_labels(tmp_path: Path) -> None:
    made = [task(f"text {number}", choice(("a", "b")[number % 2])) for number in range(4)]
    skipped = {"id": 9, "data": {"text": "skipped"}, "annotations": []}
    labelled = load_examples(Sources(export(tmp_path, *made, skipped)), "text-classification")
    assert [example.labels for example in labelled.examples] == [("a",), ("b",), ("a",), ("b",)]
    assert labelled.unlabelled == 1


def test_several_choices_are_moderation_s(tmp_path: Path) -> None:
    made = [task("one", choice("x", "y")), task("two", choice("y")), task("three"), task("four", choice("x"))]
    labelled = load_examples(Sources(export(tmp_path, *made)), "moderation")
    assert [example.labels for example in labelled.examples] == [("x", "y"), ("y",), (), ("x",)]


def test_regions_counted_in_utf_16_units_are_found_by_what_they_quote(tmp_path: Path) -> None:
    smile = "\U0001f600 Ann waits"
    made = [task(smile, region(3, 6, "PER", "Ann")), task("Ann 2", region(0, 3, "PER", "Ann"))]
    labelled = load_examples(Sources(export(tmp_path, *made)), "ner")
    assert [example.spans for example in labelled.examples] == [((2, 5, "PERSON"),), ((0, 3, "PERSON"),)]


@pytest.mark.parametrize(
    ("tasks", "kind", "why"),
    [
        ([task("a", choice("x")), {"text": "a", "tone": "b"}], "sentiment", 'no "annotations"'),
        ([task("a", choice("x"), choice("y", control="other"))], "sentiment", "choose one with --control"),
        ([task("a", choice("x", "y"))], "sentiment", "2 choices"),
        ([task("abc", region(0, 2, "X", "zz"))], "ner", "do not fit the text that it quotes"),
        ([{"data": {"text": "a"}, "annotations": [{"result": [choice("x")]}, {"result": [choice("y")]}]}], "sentiment",
         "contradict each other"),
        ([{"data": {"a": "x", "b": "y"}, "annotations": [{"result": [choice("x")]}]}], "sentiment", 'no field "text"'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_which_task(tasks: list[Any], kind: Task, why: str, tmp_path: Path) -> None:
    file = export(tmp_path, *tasks)
    with pytest.raises(LabelsError) as caught:
        load_examples(Sources(file), kind)
    assert f"{file} task " in str(caught.value) and why in str(caught.value)


def test_a_control_is_chosen(tmp_path: Path) -> None:
    made = [task(f"t{n}", choice("x" if n < 2 else "y"), choice("z", control="other")) for n in range(4)]
    assert load_examples(Sources(export(tmp_path, *made), "tone"), "sentiment").labels == ("x", "y")


def test_an_unknown_control_is_named_with_those_there_are(tmp_path: Path) -> None:
    made = [task(f"t{n}", choice("xy"[n % 2])) for n in range(4)]
    with pytest.raises(LabelsError, match='no control "tune" has choices; it has: tone'):
        load_examples(Sources(export(tmp_path, *made), "tune"), "sentiment")


def test_an_array_of_plain_rows_is_refused_once(tmp_path: Path) -> None:
    file = export(tmp_path, *({"text": f"t{n}", "label": "xy"[n % 2]} for n in range(4)))
    with pytest.raises(LabelsError, match="one row per line") as caught:
        load_examples(Sources(file), "sentiment")
    assert len(str(caught.value).splitlines()) == 1


def test_rubbish_is_no_export(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text('[{"id": 1,')
    with pytest.raises(LabelsError, match="neither JSON lines nor a JSON array"):
        load_examples(Sources(file), "sentiment")
