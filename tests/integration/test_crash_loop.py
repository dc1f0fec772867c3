"""An event that kills the process again and again becomes a dead letter, and its neighbours pass."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lib import Case


def test_two_within_one_commit_interval_do_not_take_turns(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=1, commit_interval_ms=600_000)
    case.send(json.dumps({"id": i, "text": "boom" if i in (77, 78) else f"event {i}"}).encode() for i in range(120))
    lives: list[int] = []
    while not lives or (lives[-1] and len(lives) < 10):
        with case.member(delay=0.001, state=tmp_path) as member:
            while member.process.poll() is None and len(case.ids(case.output)) < 118:
                pass
            if member.process.poll() is None:
                member.stop()
            lives.append(member.process.returncode)
    assert lives[-1] == 0
    assert set(lives[:-1]) == {-signal.SIGSEGV}
    assert len(lives) <= 3 * 2 + 1
    assert set(case.ids(case.output)) == set(range(120)) - {77, 78}
    assert {dict(letter.headers)["__glossator.errors.offset"] for letter in case.read(case.dead)} == {b"77", b"78"}


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_the_third_time_it_is_a_dead_letter(real_kafka: Any, tmp_path: Path, delivery: str) -> None:
    case = Case(real_kafka, partitions=1, delivery=delivery, commit_interval_ms=50)
    case.send(json.dumps({"id": i, "text": "boom" if i == 77 else f"event {i}"}).encode() for i in range(120))
    lives = []
    for _ in range(5):
        with case.member(delay=0.001, state=tmp_path) as member:
            while member.process.poll() is None and case.committed() < 120:
                pass
            if member.process.poll() is None:
                member.stop()
            lives.append(member.process.returncode)
        if lives[-1] == 0:
            break
    assert lives == [-signal.SIGSEGV] * 3 + [0]
    counts = case.ids(case.output)
    assert set(counts) == set(range(120)) - {77}
    assert delivery == "at_least_once" or counts == Counter(set(range(120)) - {77})
    (letter,) = case.read(case.dead)
    headers = dict(letter.headers)
    assert headers["__glossator.errors.stage"] == b"crash"
    assert headers["__glossator.errors.offset"] == b"77"
    assert not (tmp_path / f"{case.group}-0.suspects").exists()
