"""Dead letters go back to their input topic: each once, also when the replay is killed, and never in a circle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from schemas.document import Failure
from schemas.record import Assignment, Headers, Record
from stream.output.deadletter import ATTEMPT, dead_letter
from stream.output.redaction.envelope import sealer
from stream.output.redaction.keys import Key
from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration


def command(file: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "workers.cli.main", "replay", str(file), *options]


def replayed(file: Path, *options: str, status: int = 0) -> str:
    result = subprocess.run(command(file, *options), capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == status, result.stderr
    return result.stdout


def written(case: Case, folder: Path) -> Path:
    file = folder / "pipeline.yaml"
    file.write_text(json.dumps({**case.settings, "tasks": [{"name": "tone", "task": "sentiment", "model": "starter"}]}))
    return file


def fail(case: Case, values: list[bytes | None]) -> None:
    """Have a worker make dead letters of ``values``."""
    case.send(values)
    with case.member() as member:
        case.broker.wait_until_done(case.group, case.input)
        member.stop()
    assert case.count(case.dead) == len(values)


def test_letters_go_back_once_and_only_a_limited_number_of_times(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3)
    file = written(case, tmp_path)
    values: list[bytes | None] = [f'{{"id": {number}}}'.encode() for number in range(40)]
    fail(case, [*values, b"no JSON"])

    assert "41 letters would be sent" in replayed(file)
    assert case.count(case.input) == 41
    output = tmp_path / "letters.jsonl"
    text = replayed(file, "--where", 'letter.message.contains("not JSON")', "--output", str(output))
    assert text.splitlines()[-2:] == ["1 letter written", "40 not chosen: the condition is false for them"]
    exported = json.loads(output.read_text())
    assert (exported["topic"], exported["value"]) == (case.input, "no JSON")
    assert exported["letter"]["stage"] == "decode"

    chosen = ("--where", 'letter.message.contains("no text")', "--run")
    assert "40 letters sent" in replayed(file, *chosen)
    assert "0 letters sent" in replayed(file, *chosen)
    other = subprocess.run(command(file), capture_output=True, text=True, timeout=120, check=True)
    assert "other selections of this pipeline have been sent before (1)" in " ".join(other.stderr.split())
    again = [row for row in case.read(case.input) if (ATTEMPT, b"1") in row.headers]
    assert Counter(row.value for row in again) == Counter(values)
    first = {row.value: row for row in case.read(case.input) if not row.headers}
    assert all((row.key, row.timestamp) == (first[row.value].key, first[row.value].timestamp) for row in again)
    assert {header for row in again for header in row.headers} == {(ATTEMPT, b"1")}

    # They fail again, and then their attempts are used up.
    with case.member() as member:
        case.broker.wait_until_done(case.group, case.input)
        member.stop()
    text = replayed(file, *chosen, "--max-attempts", "1", status=1)
    assert "0 letters sent" in text
    assert "40 stay: sent again 1 times before" in text


def test_a_killed_replay_goes_on_and_sends_nothing_twice(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3)
    file = written(case, tmp_path)
    values: list[bytes | None] = [f'{{"id": {number}}}'.encode() for number in range(600)]
    fail(case, values)
    before = case.count(case.input)

    def sent_more_than(goal: int) -> bool:
        return case.count(case.input) > goal

    for kills in range(3):
        process = subprocess.Popen(command(file, "--run", "--rate", "50"), stdout=subprocess.DEVNULL)
        try:
            eventually(partial(sent_more_than, before + 60 * (kills + 1)))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    replayed(file, "--run")
    again = [row.value for row in case.read(case.input) if row.headers]
    assert Counter(again) == Counter(values)


def test_a_letter_without_its_original_is_read_from_the_input_topic(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3, kafka={"compression.type": "none"})
    real_kafka.create_topic(f"{case.group}.small", 3, {"max.message.bytes": "2000"})
    case.settings["output"]["dead_letter"] = case.dead = f"{case.group}.small"
    file = written(case, tmp_path)
    large = json.dumps({"body": "x" * 5000}).encode()
    fail(case, [b"{}", large])
    assert sorted(len(row.value or b"") for row in case.read(case.dead)) == [0, 2]
    assert "2 letters sent" in replayed(file, "--run")
    assert Counter(row.value for row in case.read(case.input) if row.headers) == Counter([b"{}", large])


def test_what_stands_in_the_way_is_said(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3)
    file = written(case, tmp_path)
    headers = [("__glossator.errors.topic", b"elsewhere"), ("__glossator.errors.stage", b"decode")]
    real_kafka.produce_all(case.dead, [(b"k", b"foreign"), (b"k", b"other", headers)])
    text = replayed(file, "--run", status=1)
    assert "1 stay: not a dead letter" in text
    assert "1 stay: its event is from a topic that this pipeline does not read" in text
    assert case.count(case.input) == 0
    # They are tried again by each run, beside what is new.
    fresh = [("__glossator.errors.topic", case.input.encode()), ("__glossator.errors.stage", b"decode")]
    real_kafka.produce_all(case.dead, [(b"k", b"fresh", fresh)])
    text = replayed(file, "--run", status=1)
    assert "1 letter sent" in text
    assert text.count("1 stay") == 2
    text = replayed(file, "--run", status=1)
    assert "0 letters sent" in text
    assert text.count("1 stay") == 2
    assert [row.value for row in case.read(case.input)] == [b"fresh"]
    other = real_kafka.create_topic(f"{case.group}.other", 1)
    where = 'letter.topic == "elsewhere"'
    assert "1 letter sent" in replayed(file, "--run", "--to", other, "--where", where)
    [row] = case.read(other)
    assert (row.key, row.value, row.headers) == (b"k", b"other", [(ATTEMPT, b"1")])


def test_two_replays_at_once_send_each_letter_once(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3)
    file = written(case, tmp_path)
    values: list[bytes | None] = [f'{{"id": {number}}}'.encode() for number in range(200)]
    fail(case, values)
    slow = subprocess.Popen(command(file, "--run", "--rate", "20"), stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: case.count(case.input) > 220)
        replayed(file, "--run")
        _, error = slow.communicate(timeout=60)
    finally:
        slow.kill()
        slow.wait()
    assert slow.returncode == 76, error
    assert "another run of the same command has begun" in error
    assert Counter(row.value for row in case.read(case.input) if row.headers) == Counter(values)


def test_an_encrypted_letter_waits_for_its_key(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=3)
    file = written(case, tmp_path)
    keys = {name: (tmp_path / name, Key(bytes([number]) * 32)) for number, name in enumerate(("k1", "k2"), 1)}
    for number, (place, _) in enumerate(keys.values(), 1):
        place.write_text(bytes([number] * 32).hex())
    letters = []
    for number, name in enumerate(("k1", "k2", "k1")):
        headers: Headers = [("trace", b"1")]
        original = Record(Assignment(case.input, 0), number, b"key", f"secret {number}".encode(), headers)
        seal = sealer(name, keys[name][1])
        letter = dead_letter(original, Failure("forward", "ForwardError", "too long"), case.dead, "p", "01234567")
        kept_headers = [header for header in letter.headers if header[0] != "trace"]
        letters.append((None, seal(original), kept_headers))
    real_kafka.produce_all(case.dead, letters)
    with_first = ("--run", "--key", f"k1=file:{keys['k1'][0]}")
    text = replayed(file, *with_first, status=1)
    assert "2 letters sent" in text
    assert "1 stay: the letter needs the key k2" in text
    assert "1 letter sent" in replayed(file, *with_first, "--key", f"k2=file:{keys['k2'][0]}")
    rows = case.read(case.input)
    assert Counter(row.value for row in rows) == Counter([b"secret 0", b"secret 1", b"secret 2"])
    assert {(row.key, *row.headers) for row in rows} == {(b"key", ("trace", b"1"), (ATTEMPT, b"1"))}
