"""``glossator drift-reference``: what it makes of enriched events, and wrong commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.schemas.pipeline.pipelines import UNREACHABLE
from workers.cli.drift_reference import References
from workers.cli.main import cli
from workers.drift.reference import read_references, write_references


def event(number: int, annotations: dict[str, Any], *notices: dict[str, Any]) -> bytes:
    source = {"topic": "posts", "partition": 0, "offset": number, "key": None, "timestamp_ms": None}
    return json.dumps({
        "schema": "glossator.event/1", "id": f"posts-0-{number}", "pipeline": {"name": "p", "config": "0" * 8},
        "source": source, "text": "secret", "annotations": annotations, "models": {}, "notices": list(notices),
    }).encode()  # fmt: skip


def test_each_event_counts_once_and_each_task_that_has_labels(tmp_path: Path) -> None:
    collected = References()
    for number in range(30):
        label = "ab"[number % 3 == 0]
        tone = {"label": label, "score": number / 30, "scores": {label: number / 30}}
        vector = {"vector": [0.5, 0.5]}
        unread = {"task": "tone", "kind": "unread", "share": 1.0}
        for _ in range(2):
            collected.add(event(number, {"tone": tone, "vector": vector}, *([unread] if number < 4 else [])))
    collected.add(event(99, {"vector": {"vector": [1.0]}}, {"task": "tone", "kind": "unread", "share": 0.9}))
    for value in (None, b"no JSON", b"{}", b"[]"):
        collected.add(value)
    assert (collected.events, collected.others) == (31, 3)
    file = tmp_path / "drift.json"
    file.write_text(write_references(collected.references()))
    assert "secret" not in file.read_text()
    references = read_references(file)
    assert references == collected.references() and references.keys() == {"tone"}
    reference = references["tone"]
    assert (reference.events, reference.unread, reference.labels) == (31, 5, {"a": 20, "b": 10})
    assert [sum(histogram.counts) for histogram in reference.scores.values()] == [30]


def test_only_events_of_the_latest_model_count() -> None:
    collected = References()
    for number, revision in enumerate("aaaaabbb"):
        value = json.loads(event(number, {"tone": {"label": revision, "score": 0.9, "scores": {revision: 0.9}}}))
        value["models"] = {"tone": {"model": "mine", "revision": revision}}
        value["source"]["timestamp_ms"] = 1000 + number
        collected.add(json.dumps(value).encode())
        if number == 6:  # another partition is read later
            late = {**value, "id": "late", "models": {"tone": {"model": "mine", "revision": "a"}}}
            late["source"] = {**value["source"], "timestamp_ms": 999}
            collected.add(json.dumps(late).encode())
    collected.add(event(99, {}, {"task": "tone", "kind": "unread", "share": 0.9}))
    reference = collected.references()["tone"]
    assert (reference.events, reference.unread, reference.labels) == (4, 1, {"b": 3})
    assert collected.earlier("tone") == 5 + 1


def test_custom_tasks_are_left_out_and_annotations_that_only_resemble_those_of_tasks() -> None:
    """Labels of a custom task may be texts, and a task that is not in the file may have been one."""
    tone = {"label": "a", "score": 0.5, "scores": {"a": 0.5}}
    odd = [
        {"label": "a", "scores": {}}, {"label": 5, "score": 0.5, "scores": {}}, {"spans": 5}, {"spans": ["a"]},
        {"spans": [{"label": "a"}]}, {"flagged": True, "labels": [{"label": "a", "score": 0.5}]},
        {"flagged": True, "labels": None}, {"label": "a", "score": "0.5", "scores": {}},
    ]  # fmt: skip
    collected = References({"mine"})
    for number, annotation in enumerate(odd):
        collected.add(event(number, {"tone": tone, "mine": tone, "former": annotation}))
    assert collected.events + collected.others == len(odd)
    assert collected.references().keys() == {"tone"}


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--from", "yesterday"), 2, "must be start, end, or a time before now"),
        (("--max-events", "0"), 2, "0 is not in the range"),
        (("--patience", "0.2"), 69, "no broker answers at 127.0.0.1:1"),
    ],
)
def test_a_wrong_command_is_refused(tmp_path: Path, options: tuple[str, ...], status: int, message: str) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(UNREACHABLE)
    result = CliRunner().invoke(cli, ["drift-reference", str(file), *options])
    assert result.exit_code == status
    assert message in " ".join(result.stderr.split())
