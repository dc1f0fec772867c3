"""The demo as a whole: it ends by itself, and its balance is correct."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from tests.kafka.cluster import Cluster
from tests.noop import NoopChain
from workers.chain.chain import Chain
from workers.cli.default_pipeline import starter_pipeline
from workers.cli.demo import demo as demo_module
from workers.cli.demo.stream import recorded
from workers.cli.main import cli

ROOT = Path(__file__).parents[4]
STREAM = len(recorded())


class _Chain(NoopChain):
    def warm_up(self) -> None:
        pass


@pytest.fixture
def without_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Chain, "load", lambda pipeline: _Chain())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def account(output: str) -> tuple[int, int, int, str]:
    """Return (in, enriched, dead letters, verdict) from the summary."""
    summary = re.search(r"^in ([\d,]+) = enriched ([\d,]+) \+ dead letters ([\d,]+): (.*)$", output, re.MULTILINE)
    assert summary, output
    sent, enriched, dead = (int(number.replace(",", "")) for number in summary.groups()[:3])
    return sent, enriched, dead, summary[4]


def test_the_stream_goes_through_and_the_account_balances(without_models: None, tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    result = CliRunner().invoke(cli, ["demo", "--rate", "0", "--events", "1000", "--svg", str(picture)])
    assert result.exit_code == 0, result.output
    sent, enriched, dead, verdict = account(result.output)
    assert (sent, verdict) == (1000, "balanced")
    malformed = [sum(1 for number in range(1000) if number % STREAM == bad) for bad in _malformed()]
    assert (enriched, dead) == (1000 - sum(malformed), sum(malformed))
    assert len(re.findall("^neutral ", result.output, re.MULTILINE)) == enriched
    assert len(re.findall("^✕ dead ", result.output, re.MULTILINE)) == dead
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize("name", ["nowhere/x.svg", "file/x.svg", "."])
def test_a_picture_that_could_not_be_saved_is_a_wrong_command_line_before_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(demo_module, "prepare_process", lambda: pytest.fail("the run has begun"))
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(cli, ["demo", "--svg", str(tmp_path / name)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--svg" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_looking_whether_a_picture_can_be_saved_changes_nothing(tmp_path: Path) -> None:
    there, new = tmp_path / "there.svg", tmp_path / "new.svg"
    there.write_text("<svg>")
    assert (demo_module.writable(there), demo_module.writable(new)) == (there, new)
    assert there.read_text() == "<svg>"
    assert not new.exists()
    assert demo_module.writable(Path("/dev/null")) == Path("/dev/null")
    assert demo_module.writable(None) is None


def test_a_picture_that_cannot_be_saved_after_all_costs_no_balance(without_models: None) -> None:
    result = CliRunner().invoke(cli, ["demo", "--rate", "0", "--events", "3", "--svg", "/dev/full"])
    assert result.exit_code == 74
    assert result.stderr.endswith("glossator: /dev/full cannot be written: No space left on device\n")
    assert account(result.stdout)[3] == "balanced"


@pytest.mark.slow
def test_an_event_that_does_not_come_back_is_told_and_is_status_1(
    without_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = demo_module.reader

    def forgetful(*arguments: Any) -> Any:
        source = real(*arguments)
        poll = source.poll

        def lossy(timeout: float) -> list[Record]:
            numbers = ((record, dict(record.headers or [])["glossator-demo"]) for record in poll(timeout))
            return [record for record, number in numbers if isinstance(number, bytes) and number[-2:] != b"-7"]

        monkeypatch.setattr(source, "poll", lossy)
        return source

    monkeypatch.setattr(demo_module, "reader", forgetful)
    monkeypatch.setattr(demo_module, "_SILENCE", 8.0)
    result = CliRunner().invoke(cli, ["demo", "--rate", "0", "--events", "20"])
    assert account(result.output) == (20, 19, 0, "NOT balanced, 1 are missing")
    assert result.exit_code == 1


def test_a_broker_that_is_not_there_is_status_69(without_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "_PATIENCE", 0.5)
    result = CliRunner().invoke(cli, ["demo", "--bootstrap", "localhost:1"])
    assert (result.exit_code, result.stdout) == (69, "")
    assert "no broker answers" in result.stderr


def _malformed() -> set[int]:
    decode = codec(starter_pipeline().input).decode
    records = [Record(Assignment("", 0), n, key, value) for n, (key, value) in enumerate(recorded())]
    return {record.offset for record in records if decode(record).failure is not None}


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "workers.cli.main", "demo", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_with_the_starter_models_names_are_found() -> None:
    with command("--rate", "0") as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert account(output) == (STREAM, STREAM - len(_malformed()), len(_malformed()), "balanced")
    assert output.count("[PERSON ") > 20
    assert output.count("[LOCATION ") > 30


@pytest.mark.slow
def test_ctrl_c_ends_the_stream_and_the_account_balances() -> None:
    with command("--rate", "5") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(("positive", "neutral", "negative")):
                break
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    sent, enriched, dead, verdict = account(output)
    assert process.returncode == 0, output
    assert sent == enriched + dead < STREAM
    assert verdict == "balanced"
    rate = re.search(r"\(([\d.]+) events/s\)", output)
    assert rate is None or float(rate[1]) < 10


@pytest.mark.slow
def test_on_a_broker_of_ones_own_only_this_run_counts(real_kafka: Cluster) -> None:
    for topic in ("posts", "posts.enriched", "posts.dead"):
        real_kafka.create_topic(f"glossator-demo.{topic}", 3)
    for _ in range(2):
        with command("--rate", "0", "--events", "40", "--bootstrap", real_kafka.bootstrap_servers) as process:
            output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
        assert account(output)[0] == 40
        assert account(output)[3] == "balanced"


def test_on_a_terminal_it_runs_until_ctrl_c(without_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    timers: list[threading.Timer] = []

    def started(*arguments: Any) -> None:
        timers.append(threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)))
        timers[0].start()

    monkeypatch.setattr(demo_module, "await_partitions", started)
    result = CliRunner().invoke(cli, ["demo", "--rate", "400"])
    assert result.exit_code == 0, result.output
    sent, _, _, verdict = account(result.output.replace("\x1b[?7h", ""))
    assert sent > STREAM
    assert verdict == "balanced"
