"""Which reference a task is compared with, and files of references that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import SettingError
from tests.noop import pipeline
from workers.drift.choice import choose_references
from workers.drift.reference import Reference, read_references, write_references

COUNTS = {"kind": "classification", "events": 40, "unread": 0, "labels": {"a": 40}, "scores": {}}
PACKED = {"tone": COUNTS}
CUSTOM = "no reference: the labels of a custom task may be texts"
FLAGGED = {"tone": {**COUNTS, "kind": "moderation", "labels": {"insult": 40}}}
ATTRIBUTES = {"tone": {**COUNTS, "kind": "moderation", "labels": {"INSULT": 40, "TOXICITY": 2}}}
FLAGS = {"name": "tone", "task": "moderation", "model": "m", "taxonomy": "model"}


def test_a_file_comes_before_a_pack(tmp_path: Path) -> None:
    file = tmp_path / "drift.json"
    file.write_text(write_references({"tone": Reference.model_validate({**COUNTS, "events": 5000})}))
    choice = choose_references(pipeline(telemetry={"drift": str(file)}), PACKED)
    assert choice.references["tone"].events == 5000
    assert choice.origins == {"tone": f"5,000 events of {file}"}
    kind = Reference.model_validate({**COUNTS, "kind": "spans"})
    file.write_text(write_references({"tone": kind}))
    choice = choose_references(pipeline(telemetry={"drift": str(file)}), PACKED)
    assert not choice.references
    assert choice.origins == {"tone": f"no reference: that of {file} is about annotations of another kind, spans"}
    file.write_text(write_references({"other": Reference.model_validate(COUNTS)}))
    choice = choose_references(pipeline(telemetry={"drift": str(file)}), PACKED)
    assert choice.origins == {"tone": "40 texts that it was trained with"}


@pytest.mark.parametrize(
    ("packed", "settings", "origin"),
    [
        ({"tone": None}, FLAGS, "no reference"),
        ({}, FLAGS, "no reference"),
        ({"tone": {"kind": "a newer one"}}, FLAGS, "no reference"),
        (FLAGGED, FLAGS, "40 texts that it was trained with"),
        (PACKED, FLAGS, "no reference: that of its pack is about annotations of another kind, classification"),
        (PACKED, {"name": "tone", "task": "custom", "use": "m:T"}, CUSTOM),
        (
            FLAGGED,
            {**FLAGS, "taxonomy": "standard", "threshold": 0.3},
            "no reference: that of its pack was made with another threshold, taxonomy",
        ),
        (
            FLAGGED,
            {**FLAGS, "taxonomy": "perspective"},
            "no reference: that of its pack was made with another taxonomy",
        ),
        (ATTRIBUTES, {**FLAGS, "taxonomy": "perspective"}, "40 texts that it was trained with"),
    ],
    ids=[
        "none",
        "no pack",
        "unknown",
        "as trained",
        "another kind",
        "custom",
        "other settings",
        "other names",
        "same names",
    ],
)
def test_a_pack_s_reference_is_used_if_the_settings_are_those_it_was_made_with(
    packed: dict[str, Any], settings: dict[str, Any], origin: str
) -> None:
    choice = choose_references(pipeline(tasks=[settings]), packed)
    assert choice.origins == {"tone": origin}
    assert bool(choice.references) is origin.startswith("40 texts")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "no JSON",
        "[" * 100_000,
        json.dumps({"format": "glossator.drift/2", "tasks": {}}),
        json.dumps({"format": "glossator.drift/1", "tasks": {"tone": {**COUNTS, "events": 0}}}),
        json.dumps({"format": "glossator.drift/1", "tasks": {"tone": {**COUNTS, "unread": 41}}}),
        json.dumps({"format": "glossator.drift/1", "tasks": {"tone": {**COUNTS, "labels": {"a": 41}}}}),
        json.dumps({"format": "glossator.drift/1", "tasks": {"tone": {**COUNTS, "events": 10**400}}}),
        json.dumps({
            "format": "glossator.drift/1",
            "tasks": {"tone": {**COUNTS, "scores": {"": {"edges": [0.5], "counts": [1]}}}},
        }),
    ],
    ids=["missing", "no JSON", "deep", "format", "empty", "unread", "labels", "huge", "histogram"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "drift.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError, match=r"drift\.json \(telemetry\.drift\) (cannot be read|is not a file of)"):
        read_references(file)
