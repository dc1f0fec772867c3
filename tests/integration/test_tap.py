"""What a pipeline publishes can be followed without a member of its group, and without personal data on the screen."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration

TASKS = [{"name": "private", "task": "pii", "entities": ["EMAIL_ADDRESS", "IP_ADDRESS"]}]


def command(file: Path, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "workers.cli.main", "tap", str(file), *options]


def tapped(file: Path, *options: str) -> str:
    all_options = ("--from", "start", "--no-follow", *options)
    result = subprocess.run(command(file, all_options), capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def case(real_kafka: Any) -> Case:
    """A pipeline that has enriched twenty events, and failed at two."""
    return Case(real_kafka, partitions=3, tasks=TASKS)


@pytest.fixture(scope="module")
def file(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tap") / "pipeline.yaml"
    file.write_text(json.dumps(case.settings))
    values: list[bytes | None] = [
        json.dumps({"id": number, "text": f"write to user{number}@example.org 🙂"}).encode() for number in range(20)
    ]
    case.send([*values, b"no JSON", b'{"secret": "hunter2"}'])
    worker = subprocess.Popen([sys.executable, "-m", "workers.cli.main", "run", str(file)], stderr=subprocess.DEVNULL)
    try:
        case.broker.wait_until_done(case.group, case.input)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)
    return file


def test_events_are_shown_without_personal_data(case: Case, file: Path) -> None:
    events = [json.loads(line) for line in tapped(file).splitlines()]
    assert len(events) == 20
    assert {event["text"] for event in events} == {"write to <EMAIL_ADDRESS> 🙂"}
    assert not any("event" in event or event["source"]["key"] for event in events)
    originals = tapped(file, "--original").splitlines()
    assert sorted(originals) == sorted((row.value or b"").decode() for row in case.read(case.output))
    assert case.broker.members(case.group) == set()
    assert case.committed() == 22


def test_a_condition_and_a_count_choose(case: Case, file: Path) -> None:
    where = 'private.spans.exists(s, s.text.startsWith("user1")) && topic == "' + case.output + '"'
    assert len(tapped(file, "--where", where).splitlines()) == 11
    assert len(tapped(file, "--where", where, "--count", "3").splitlines()) == 3
    rows = list(csv.DictReader(io.StringIO(tapped(file, "--format", "csv", "--where", "event.id == 7"), newline="")))
    assert [row["text"] for row in rows] == ["write to <EMAIL_ADDRESS> 🙂"]
    place, text, *_ = tapped(file, "--format", "pretty", "--where", "event.id == 7").splitlines()
    assert f" {case.input}[" in place
    assert text == "write to <EMAIL_ADDRESS> 🙂"


def test_dead_letters_are_shown_with_their_reasons(file: Path) -> None:
    lines = tapped(file, "--dead-letters", "--format", "pretty").splitlines()
    assert len(lines) == 2
    assert any("decode: there is no text at $.text (DecodeError)" in line for line in lines)
    shown = tapped(file, "--dead-letters", "--where", 'letter.message.contains("no text")')
    assert json.loads(shown)["letter"]["stage"] == "decode"
    assert "hunter2" not in shown
    assert "hunter2" in tapped(file, "--dead-letters", "--original")


def test_new_events_are_followed_until_interrupted(case: Case, file: Path) -> None:
    tap = subprocess.Popen(command(file, ["--format", "displacy"]), stdout=subprocess.PIPE, text=True)
    record = (case.read(case.output)[0].key, case.read(case.output)[0].value)
    try:
        assert tap.stdout is not None
        assert tap.stdout.readline() == "<!DOCTYPE html>\n"
        received: list[str] = []

        def shown() -> bool:
            case.broker.produce_all(case.output, [record])
            return case.count(case.output) > 23

        eventually(shown)
        while not received or "</figure>" not in received[-1]:
            received.append(tap.stdout.readline())
        tap.send_signal(signal.SIGINT)
        received += tap.communicate(timeout=120)[0].splitlines(keepends=True)
        assert tap.returncode == 0
        assert received[-1] == "</html>\n"
    finally:
        tap.kill()
        tap.wait()
