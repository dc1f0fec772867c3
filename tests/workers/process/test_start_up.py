"""SIGTERM and SIGINT at any moment of a start: imports, loading, warm-up and joining the group end with status 0."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import psutil
import pytest

from stream.kafka.broker import EmbeddedBroker
from tests.workers.tiny import checkpoint

ROOT = Path(__file__).parents[3]
STOPS = (signal.SIGTERM, signal.SIGINT)
STARTS = 10


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pipeline file with a model, and a broker: without one, no model would be loaded."""
    file = tmp_path_factory.mktemp("start-up") / "pipeline.yaml"
    with EmbeddedBroker() as broker:
        settings = {
            "pipeline": "p",
            "kafka": {"bootstrap.servers": broker.bootstrap_servers},
            "input": {"topics": ["posts"]},
            "tasks": [{"name": "tone", "task": "sentiment", "model": str(checkpoint("bert", "sequence"))}],
            "output": {"topic": "out"},
            "telemetry": {"port": None},
        }
        file.write_bytes(orjson.dumps(settings))  # JSON is YAML
        yield file


def started(pipeline: Path, state: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "glossator", "run", str(pipeline), "--state", str(state), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def handles(process: subprocess.Popen[str]) -> bool:
    """Whether ``process`` has a handler for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def stopped(pipeline: Path, state: Path, number: int, after: float, *options: str) -> tuple[int, str]:
    """Signal a process ``after`` so many seconds from when it handles signals; return its status and output."""
    process = started(pipeline, state, *options)
    try:
        while process.poll() is None and not handles(process):
            time.sleep(0.001)
        time.sleep(after)
        process.send_signal(number)
        output, _ = process.communicate(timeout=240)
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
    return process.returncode, output


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_during_the_first_imports_ends_it_cleanly(pipeline: Path, tmp_path: Path, number: int) -> None:
    assert stopped(pipeline, tmp_path, number, 0.0) == (0, "")


@pytest.mark.slow
@pytest.mark.xdist_group("many workers")  # each starts two at a time
@pytest.mark.parametrize("seed", range(5))
def test_a_signal_at_any_moment_of_a_start_ends_it_cleanly(pipeline: Path, tmp_path: Path, seed: int) -> None:
    """Fifty starts in all; in batches, so that none takes minutes."""
    first = started(pipeline, tmp_path / "first")
    begun = time.monotonic()
    assert first.stdout is not None
    for line in first.stdout:
        if "models ready" in line:
            break
    duration = time.monotonic() - begun
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=240)
    assert first.returncode == 0

    chance = random.Random(seed)
    cases = []
    for number in range(STARTS):
        options = ["--workers", "2"] if number == 0 else []
        # Several starts at a time take longer than one.
        cases.append((chance.choice(STOPS), chance.uniform(0, 2 * duration), options))

    def end(case: tuple[int, float, list[str]]) -> tuple[int, str]:
        stop, after, options = case
        # Starts that follow each other have the same journal, in which no crash may be found.
        return stopped(pipeline, tmp_path / threading.current_thread().name, stop, after, *options)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(end, cases))
    wrong = [(case, ended) for case, ended in zip(cases, ends, strict=True) if ended[0] != 0]
    assert wrong == []
    assert not any("died" in output or "Traceback" in output for _, output in ends)


@pytest.mark.slow
def test_the_same_pipeline_runs_on_two_clusters_and_twice_on_none(pipeline: Path, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        second = tmp_path / "second.yaml"
        settings = orjson.loads(pipeline.read_bytes())
        second.write_bytes(orjson.dumps(settings | {"kafka": {"bootstrap.servers": broker.bootstrap_servers}}))
        (tmp_path / "p-0.suspects").write_text("from before there were clusters")
        workers = [started(file, tmp_path) for file in (pipeline, second)]
        try:
            for worker in workers:
                assert worker.stdout is not None
                assert any("models ready" in line for line in worker.stdout)
            assert len(list(tmp_path.glob("cluster-*/p-0.inflight"))) == 2
            third = started(second, tmp_path)
            output, _ = third.communicate(timeout=240)
            assert (third.returncode, "--slot" in output) == (76, True)
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
                worker.communicate(timeout=240)
        assert [worker.returncode for worker in workers] == [0, 0]
        assert (tmp_path / "p-0.suspects").read_text() == "from before there were clusters"
