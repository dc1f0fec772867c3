"""Valid files of labelled texts, and the messages about files that cannot be used."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import LabelsError
from tests.thoroughness import examples
from workers.learning.examples import Task
from workers.learning.loading import Sources, load_examples

SECRET = "Blumenkohl"


def lines(folder: Path, *rows: Any) -> Path:
    file = folder / "labels.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def refused(file: Path, task: Task) -> list[str]:
    with pytest.raises(LabelsError) as caught:
        load_examples(Sources(file), task)
    assert SECRET not in str(caught.value)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


GOOD = [
    {"text": "one", "label": "a"},
    {"text": "two", "label": "a"},
    {"text": "3", "label": "b"},
    {"text": "4", "label": "b"},
]


def test_every_bad_row_is_named_at_once_and_no_text_is_shown(tmp_path: Path) -> None:
    file = lines(
        tmp_path, *GOOD, f"not JSON {SECRET}", [SECRET], {"label": SECRET}, {"text": SECRET}, {"text": 5, "label": "a"},
        {"text": " ", "label": "a"}, {"text": SECRET, "label": 7}, {"text": SECRET, "label": " a"},
        {"txt": SECRET, "label": "a"},
    )  # fmt: skip
    mistakes = refused(file, "sentiment")
    assert [line.partition(":")[0] for line in mistakes] == [str(number) for number in range(5, 14)]
    assert 'rename "txt"' in mistakes[-1]


@pytest.mark.parametrize(("task", "field"), [("ner", "spans"), ("moderation", "labels")])
def test_the_labels_of_another_task_are_one_line(tmp_path: Path, task: Task, field: str) -> None:
    rows = [{"text": f"{number}", "label": "a"} for number in range(30)]
    (line,) = refused(lines(tmp_path, *rows), task)
    assert line.startswith(f'1: no "{field}"; a row with "label" is for --task sentiment, text-classification; ')
    assert line.endswith(" (and 29 more rows like this)")


def test_a_mistake_of_many_rows_hides_no_other(tmp_path: Path) -> None:
    rows: list[Any] = [{"text": "x"}] * 30
    mistakes = refused(lines(tmp_path, *rows, "not JSON", {"text": 5, "label": "a"}), "sentiment")
    assert [line.partition(":")[0] for line in mistakes] == ["1", "31", "32"]
    few = refused(lines(tmp_path, *rows[:3]), "sentiment")
    assert [line.partition(":")[0] for line in few] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("span", "why"),
    [
        ({"start": 0, "end": 99, "label": "X"}, "beyond the text of 16 code points"),
        ({"start": -1, "end": 3, "label": "X"}, "beyond the text"),
        ({"start": 3, "end": 3, "label": "X"}, "is empty"),
        ({"start": "0", "end": 3, "label": "X"}, "whole numbers"),
        ({"start": 10, "end": 11, "label": "X"}, "white space only"),
        ({"start": 0, "end": 3, "label": "B-X"}, "without B-"),
        ({"start": 0, "end": 3}, "an object with start, end and label"),
        ({"start": 8, "end": 12, "label": "X"}, "overlap"),
    ],
)
def test_spans_that_cannot_be(span: dict[str, Any], why: str, tmp_path: Path) -> None:
    spans = [{"start": 11, "end": 16, "label": "X"}, span]
    (mistake,) = refused(lines(tmp_path, {"text": f"{SECRET} salad", "spans": spans}), "ner")
    assert mistake.startswith("1: ") and why in mistake


@pytest.mark.parametrize(
    ("rows", "task", "why"),
    [
        ([], "ner", "no row has a label"),
        ([], "sentiment", "no labelled text"),
        ([{"text": "a", "label": "x"}, {"text": "b", "label": "x"}], "sentiment", "all texts have the same label"),
        ([*GOOD, {"text": "5", "label": "c"}], "text-classification", "only in this row"),
        ([*GOOD, {"text": "5", "label": "A"}, {"text": "6", "label": "A"}], "sentiment", "differ only in case"),
        ([*GOOD, {"text": "one", "label": "b"}], "sentiment", "5: the same text as in row 1, with another label"),
        ([*GOOD, {"text": "ONE ", "label": "b"}], "sentiment", "text except for case or white space as in row 1"),
        ([{"text": "a", "label": "x"}], "moderation", 'a row with "label" is for --task sentiment'),
        ([{"text": "a", "labels": ["none"]}], "moderation", 'leave "labels" empty'),
        ([{"text": "a", "labels": ["x", "x"]}], "moderation", "contains a label twice"),
    ],
)  # fmt: skip
def test_what_no_head_can_learn_is_refused(rows: list[Any], task: Task, why: str, tmp_path: Path) -> None:
    assert any(why in line for line in refused(lines(tmp_path, *rows), task))


def test_other_programs_files_are_read(tmp_path: Path) -> None:
    """Byte order mark, CRLF, empty lines, additional fields, repeated texts."""
    file = tmp_path / "labels.jsonl"
    rows = [*GOOD, {"text": "One", "label": "a", "annotator": 7}]
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n\r\n".join(json.dumps(row).encode() for row in rows) + b"\r\n")
    labelled = load_examples(Sources(file), "text-classification")
    assert [(example.text, example.labels) for example in labelled.examples] == [
        ("one", ("a",)), ("two", ("a",)), ("3", ("b",)), ("4", ("b",)),
    ]  # fmt: skip
    assert labelled.repeated == 1 and labelled.labels == ("a", "b")


def test_labels_get_the_task_s_spelling(tmp_path: Path) -> None:
    rows = [{"text": str(number), "label": ("POS", "neg")[number % 2]} for number in range(4)]
    assert load_examples(Sources(lines(tmp_path, *rows)), "sentiment").labels == ("negative", "positive")
    spans = [{"text": f"Ann {number}", "spans": [{"start": 0, "end": 3, "label": "PER"}]} for number in range(3)]
    assert load_examples(Sources(lines(tmp_path, *spans)), "ner").labels == ("PERSON",)


@given(st.data())
@settings(max_examples=examples(50), deadline=None)
def test_valid_spans_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    text = data.draw(st.text(st.sampled_from("ab ä\U0001f600\u0301\n"), min_size=4, max_size=30).filter(str.strip))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=8)))
    pairs = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if text[a:b].strip()]
    spans = [{"start": a, "end": b, "label": "X"} for a, b in pairs]
    rows = [{"text": text, "spans": data.draw(st.permutations(spans))}]
    rows += [
        {"text": f"{text} {n}", "spans": [{"start": len(text) + 1, "end": len(text) + 2, "label": "X"}]} for n in (1, 2)
    ]
    labelled = load_examples(Sources(lines(tmp_path_factory.mktemp("spans"), *rows)), "ner")
    # Spans come back as they were, except for white space at their ends.
    assert [text[a:b] for a, b, _ in labelled.examples[0].spans] == [text[a:b].strip() for a, b in pairs]
    assert all(a <= c < d <= b for (a, b), (c, d, _) in zip(pairs, labelled.examples[0].spans, strict=True))


def test_who_swapped_text_and_label_sees_no_text(tmp_path: Path) -> None:
    rows = [{"text": f"a {number}", "label": f"{SECRET} {number}"} for number in range(3)]
    mistakes = refused(lines(tmp_path, *rows), "text-classification")
    assert mistakes[0] == "1: its label occurs only in this row; label more texts with it or leave it out"


def test_utf_16_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(map(json.dumps, GOOD)), encoding="utf-16")
    (mistake,) = refused(file, "sentiment")
    assert "UTF-16" in mistake


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """A shell makes a pipe of ``<(zcat labels.jsonl.gz)``, which can be read only once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=["\n".join(map(json.dumps, GOOD))])
    writer.start()
    assert len(load_examples(Sources(pipe), "sentiment").examples) == len(GOOD)
    writer.join()


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)), max_size=6))
@settings(max_examples=examples(100), deadline=None)
def test_rubbish_is_refused_line_by_line(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    file = tmp_path_factory.mktemp("rubbish") / "labels.jsonl"
    file.write_bytes(b"\n".join(parts))
    with pytest.raises(LabelsError) as caught:
        load_examples(Sources(file), "moderation")
    assert all(line.startswith(str(file)) for line in str(caught.value).splitlines())
