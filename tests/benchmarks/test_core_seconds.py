from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks.core_seconds import FORWARDS, OTHERS, Thread, mean, part_of, spent, thread_from, threads_of
from benchmarks.peers import named_threads
from benchmarks.peers.named_threads import POLL

LINE = "77 (a (b) c) S 1 77 77 0 -1 4194624 99 0 0 0 250 50 7 7 20 0 9 0 123 456 789 18446744073709551615"


def test_a_name_may_have_spaces_and_parentheses() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    assert thread_from(LINE) == Thread("a (b) c", 300 / ticks)


def test_seconds_are_those_between_two_looks_by_what_threads_do() -> None:
    before = {1: Thread("poll", 2.0), 2: Thread("device", 10.0), 3: Thread("gone", 5.0)}
    after = {1: Thread("poll", 2.5), 2: Thread("device", 11.0), 4: Thread("forward_1", 0.25), 5: Thread("x", 0.125)}
    assert spent(before, after) == {"polling": 0.5, FORWARDS: 1.25, OTHERS: 0.125}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("device", FORWARDS), ("forward_0", FORWARDS), ("load_0", FORWARDS), ("prepare", "tokenising"),
        ("tokenizers", "tokenising"), ("rdk:broker1", "the Kafka client's threads"), ("deviceful", OTHERS),
    ],
)  # fmt: skip
def test_the_name_tells_the_part(name: str, part: str) -> None:
    assert part_of(name) == part


def test_means_keep_the_order_of_parts_and_leave_out_what_is_always_zero() -> None:
    rounds = [{"idle": 1.0, FORWARDS: 2.0, "polling": 0.0}, {"idle": 2.0, "tokenising": 1.0}]
    assert mean(rounds) == {FORWARDS: 1.0, "tokenising": 0.5, "idle": 1.5}
    assert list(mean(rounds)) == [FORWARDS, "tokenising", "idle"]


def test_a_busy_thread_is_seen() -> None:
    number, ended = threading.get_native_id(), time.thread_time() + 0.1
    before = threads_of(os.getpid())
    while time.thread_time() < ended:
        pass
    after = threads_of(os.getpid())
    assert after[number].seconds - before[number].seconds >= 0.08  # it counts hundredths


def test_threads_get_the_names_that_python_knows_and_pass_them_on() -> None:
    program = """
import threading
from pathlib import Path
from benchmarks.peers.named_threads import TOKENIZERS, name_threads

name_threads()
names = lambda: sorted(task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir())
assert TOKENIZERS in names(), names()
ended = threading.Event()
threading.Thread(target=ended.wait, name="a name of more than 15 characters", daemon=True).start()
assert "a name of more" in names(), names()
"""
    # A library that another test uses may have switched the threads of the tokenizers off.
    several = os.environ | {"TOKENIZERS_PARALLELISM": "true"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=several)
    assert done.returncode == 0, done.stderr


def test_the_glossator_of_another_checkout_is_run_with_names(tmp_path: Path) -> None:
    """``tmp_path`` is a checkout that has nothing but what the launcher uses."""
    (tmp_path / "workers" / "process").mkdir(parents=True)
    (tmp_path / "workers" / "process" / "environment.py").write_text("def prepare_process(): pass")
    (tmp_path / "glossator.py").write_text(
        "import sys, pathlib\nprint(sys.argv[1:], pathlib.Path('/proc/thread-self/comm').read_text())"
    )
    done = subprocess.run(
        [sys.executable, "-P", named_threads.__file__, "run", "file"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["['run',", "'file']", POLL]
