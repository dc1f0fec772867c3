"""``glossator run`` ends in one way, whether the worker's threads have ended or one of them hangs."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.errors import FencedError, PoisonError
from stream.telemetry import traces
from workers import service
from workers.cli import run as run_module
from workers.cli.main import cli

FORCED = 99
"""The status of a process that os._exit would have ended."""
FILE = """\
pipeline: p
kafka: {bootstrap.servers: nowhere:1}
input: {topics: [a]}
tasks: [{name: tone, task: sentiment, model: starter}]
output: {topic: b}
"""


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Undo what the verb changes in the process; yields the statuses given to os._exit."""
    statuses: list[int] = []

    def leave(status: int) -> None:
        statuses.append(status)
        raise SystemExit(FORCED)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    monkeypatch.setattr(run_module, "prepare_process", lambda: None)
    monkeypatch.setattr(run_module, "check_cluster", lambda *_: "cluster")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    root = logging.getLogger()
    logging_before = (root.level, list(root.handlers))
    yield statuses
    root.level, root.handlers = logging_before
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception | None, hung: bool, form: str) -> Any:
    """Run the verb with a worker that ends with ``error``."""

    class Fake:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.hung = hung

        def follow(self, *_: Any) -> None:
            pass

        def run(self) -> None:
            if error is not None:
                raise error

    monkeypatch.setattr(service, "Service", Fake)
    logging.getLogger().handlers = []
    (tmp_path / "p.yaml").write_text(FILE)
    return CliRunner().invoke(
        cli,
        ["run", str(tmp_path / "p.yaml"), "--state", str(tmp_path), "--log-format", form, "--log-level", "warning"],
        standalone_mode=True,
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_too_many_dead_letters_end_with_the_same_line_and_status_if_a_thread_hangs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, process: list[int], form: str
) -> None:
    error = PoisonError("1000 dead letters in a row")
    plain = ended(monkeypatch, tmp_path, error, hung=False, form=form)
    assert (plain.exit_code, process) == (65, [])
    forced = ended(monkeypatch, tmp_path, error, hung=True, form=form)
    assert process == [65]
    assert forced.exit_code == FORCED
    if form == "json":
        lines = [json.loads(result.stderr) for result in (plain, forced)]
        assert {line["message"] for line in lines} == {"1000 dead letters in a row"}
    else:
        assert plain.stderr == forced.stderr == "glossator: 1000 dead letters in a row\n"


def test_a_worker_that_was_stopped_while_a_thread_hangs_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, process: list[int]
) -> None:
    assert ended(monkeypatch, tmp_path, None, hung=True, form="text").stderr == ""
    assert process == [0]


REDACTING = """\
pipeline: p
kafka: {bootstrap.servers: nowhere:1}
input: {topics: [a]}
tasks: [{name: pii, task: pii}]
output: {topic: b, text: redacted, dead_letter: {text: encrypted}}
redact:
  default: hash
  keys: {hash: {env: HASH_KEY}, encrypt: [{id: k1, file: /none}]}
"""


@pytest.mark.usefixtures("process")
def test_missing_keys_are_named_before_models_are_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(REDACTING)
    monkeypatch.delenv("HASH_KEY", raising=False)
    monkeypatch.setattr(service, "Service", None)
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "p.yaml")])
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr == (
        "glossator: redact.keys.hash: environment variable HASH_KEY is not set; openssl rand -hex 32 makes "
        "a key; redact.keys.encrypt[0]: the file cannot be read: no such file or directory; openssl rand -hex 32 "
        "makes a key\n"
    )


@pytest.mark.usefixtures("process")
def test_a_missing_extra_for_traces_is_a_mistake_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(FILE + "telemetry:\n  traces: {endpoint: 'http://localhost:4318'}\n")
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    monkeypatch.setattr(service, "Service", None)
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "p.yaml")])
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.endswith(
        "p.yaml:7:11 telemetry.traces: OpenTelemetry is not installed, which sends traces: "
        "pip install 'glossator[traces]'\n"
    )


@pytest.mark.usefixtures("process")
def test_a_missing_descriptor_set_is_a_mistake_before_brokers_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    described = f"format: protobuf, descriptor_set: {tmp_path / 'none'}, message: a.B"
    (tmp_path / "p.yaml").write_text(FILE.replace("input: {", f"input: {{{described}, "))
    monkeypatch.setattr(run_module, "check_cluster", None)
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "p.yaml")])
    assert (result.exit_code, result.stdout) == (78, "")
    assert "input.descriptor_set: there is no such file on this machine\n" in result.stderr


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--restart"], [["--slot", "0"]]),
        (["--restart", "--slot", "7", "--telemetry", "[::]:80"], [["--slot", "7", "--telemetry", "[::]:80"]]),
        (["--restart", "--slot", "auto"], [["--slot", "0", "--slot", "auto"]]),
        (
            ["--workers", "2", "--slot", "4", "--telemetry", "0.0.0.0:9464"],
            [["--slot", "4", "--telemetry", "0.0.0.0:9464"], ["--slot", "5", "--telemetry", "0.0.0.0:9465"]],
        ),
        (
            ["--workers", "2", "--telemetry", "a:0"],
            [["--slot", "0", "--telemetry", "a:0"], ["--slot", "1", "--telemetry", "a:0"]],
        ),
    ],
    ids=["one", "slot", "auto", "two", "any-port"],
)
def test_what_a_supervised_worker_is_started_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], expected: list[list[str]]
) -> None:
    started: list[list[str]] = []

    def supervise(command: Callable[[int], list[str]], count: int, *, first: int, **_: Any) -> int:
        for slot in range(first, first + count):
            line = command(slot)
            assert line[line.index("--state") + 1] == str(tmp_path)
            started.append(line[line.index("--slot") :])
        return 66

    monkeypatch.setattr("workers.process.supervisor.supervise", supervise)
    (tmp_path / "p.yaml").write_text(FILE)
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "p.yaml"), "--state", str(tmp_path), *options])
    assert result.exit_code == 66, result.output
    assert started == expected


@pytest.mark.usefixtures("process")
def test_a_worker_finds_its_own_slot_and_names_it_in_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Fake:
        def __init__(self, *_: Any, slot: int, telemetry: Any, **__: Any) -> None:
            if slot < 2:
                raise FencedError("taken")
            self.slot, self.telemetry, self.hung = slot, telemetry, False

        def follow(self, *_: Any) -> None:
            pass

        def run(self) -> None:
            logging.getLogger("glossator").error("metrics on %s", self.telemetry)

    monkeypatch.setattr(service, "Service", Fake)
    logging.getLogger().handlers = []
    (tmp_path / "p.yaml").write_text(FILE)
    command = ["run", str(tmp_path / "p.yaml"), "--state", str(tmp_path), "--slot", "auto", "--log-format", "json"]
    result = CliRunner(env={"GLOSSATOR_TELEMETRY": "0.0.0.0:9464"}).invoke(cli, command)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(line["slot"], line["message"]) for line in lines[-2:]] == [
        (2, "took slot 2"),
        (2, "metrics on 0.0.0.0:9464"),
    ]


@pytest.mark.parametrize(
    "options", [["--slot", "auto", "--workers", "2"], ["--telemetry", "9464"], ["--slot", "first"]], ids=str
)
def test_options_that_make_no_sense(tmp_path: Path, options: list[str]) -> None:
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "p.yaml"), *options])
    assert result.exit_code == 2
