"""A failpoint strikes where and when it should, and ends its process. No broker is needed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tests.chaos.failpoints import POINTS, Failpoint
from tests.chaos.schedule import KINDS


def test_it_strikes_at_its_point_and_its_turn_and_only_once() -> None:
    failpoint = Failpoint()
    failpoint.passed("sent")
    failpoint.arm("memory:sent:3")
    for point in ("sent", "polled", "sent", "forward", "polled"):
        failpoint.passed(point)
    with pytest.raises(MemoryError, match="injected"):
        failpoint.passed("sent")
    failpoint.passed("sent")


def test_every_point_has_its_kind_of_fault() -> None:
    assert {kind for kind in KINDS if kind.startswith("kill-")} == {f"kill-{point}" for point in POINTS}


PROGRAM = """
import sys
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.source import Source
from stream.kafka.exactly_once import ExactlyOnceSink
for owner in (AtLeastOnceSink, ExactlyOnceSink):
    owner.send = owner._send = lambda *_: None
Source.poll = lambda *_: [1]
Source.commit = lambda *_: print("committed")
ExactlyOnceSink._ask = lambda *_: print(_[2])
from tests.chaos import failpoints
failpoint = failpoints.Failpoint()
failpoint.arm(sys.argv[1])
failpoints.install(failpoint, sys.argv[2] == "True")
Source.poll(None)
AtLeastOnceSink.send(None, None, None)
ExactlyOnceSink._send(None, None)
for doing in ("sending offsets", "committing"):
    ExactlyOnceSink._ask(None, None, doing, 0)
Source.commit(None, {})
Source.commit(None, {"a": 1})
"""


@pytest.mark.parametrize(
    ("point", "transactional", "done"),
    [
        ("polled", True, []),
        ("sent", False, []),
        ("offsets", True, ["sending offsets"]),
        ("committed", True, ["sending offsets", "committing"]),
        ("offsets", False, ["sending offsets", "committing", "committed"]),
        ("committed", False, ["sending offsets", "committing", "committed", "committed"]),
    ],
)
def test_a_process_is_killed_between_the_right_two_steps(point: str, transactional: bool, done: list[str]) -> None:
    command = [sys.executable, "-u", "-c", PROGRAM, f"kill:{point}:1", json.dumps(transactional).capitalize()]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert ended.stdout.split("\n")[:-1] == done
