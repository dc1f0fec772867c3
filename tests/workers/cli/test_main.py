"""The command line as a whole: verbs are imported late, and every failure is printed as one line."""

from __future__ import annotations

import errno
import json
import logging
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from schemas.errors import BrokerError, ConfigError, GlossatorError, LabelsError, Problem, RouteError, every_error
from stream.telemetry.logs import JsonLines
from workers.cli import lint as lint_module
from workers.cli.ending import use_format
from workers.cli.main import cli

ROOT = Path(__file__).parents[3]
TEXT = "the text of an event"


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the verb ``lint`` raise ``error``."""

    @click.command()
    def lint() -> None:
        raise error

    monkeypatch.setattr(lint_module, "lint", lint)


@pytest.mark.parametrize("kind", [k for k in every_error() if k not in {ConfigError, LabelsError}])
def test_an_error_of_ours_is_one_line_and_its_status(
    monkeypatch: pytest.MonkeyPatch, kind: type[GlossatorError]
) -> None:
    reason = "what went wrong"
    failing(monkeypatch, kind("a route", reason) if issubclass(kind, RouteError) else kind(reason))
    result = CliRunner().invoke(cli, ["lint"])
    assert (result.stdout, result.stderr) == ("", "glossator: what went wrong\n")
    assert result.exit_code == kind.exit_status


def test_mistakes_in_a_pipeline_file_are_printed_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ConfigError([Problem("p.yaml", 1, 2, "a", "one"), Problem("p.yaml", 3, 4, "b", "two")]))
    result = CliRunner().invoke(cli, ["lint"])
    assert (result.exit_code, result.stderr) == (78, "p.yaml:1:2 a: one\np.yaml:3:4 b: two\n")


def test_mistakes_in_labelled_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, LabelsError("a.jsonl:1: one\na.jsonl:2: two"))
    result = CliRunner().invoke(cli, ["lint"])
    assert (result.exit_code, result.stderr) == (65, "a.jsonl:1: one\na.jsonl:2: two\n")


def test_a_fault_is_one_line_without_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ValueError(TEXT))
    result = CliRunner().invoke(cli, ["lint"])
    assert (result.exit_code, result.stdout) == (70, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"glossator: unexpected ValueError at {__file__}:")
    assert TEXT not in line


@pytest.mark.parametrize(("args", "environ"), [(["--debug"], {}), ([], {"GLOSSATOR_DEBUG": "1"})])
def test_the_traceback_is_shown_on_request(
    monkeypatch: pytest.MonkeyPatch, args: list[str], environ: dict[str, str]
) -> None:
    failing(monkeypatch, ValueError(TEXT))
    result = CliRunner(env=environ).invoke(cli, [*args, "lint"])
    assert result.exit_code == 70
    assert "Traceback" in result.stderr
    assert TEXT in result.stderr


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert CliRunner().invoke(cli, ["lint"]).exit_code == 130


@pytest.mark.parametrize(
    ("error", "status", "message", "name"),
    [
        (BrokerError("no broker answers"), 69, "no broker answers", "BrokerError"),
        (
            ConfigError([Problem("p.yaml", 1, 2, "a", "one"), Problem("p.yaml", 3, 4, "b", "two")]),
            78, "p.yaml:1:2 a: one\np.yaml:3:4 b: two", "ConfigError",
        ),
        (ValueError(TEXT), 70, f"unexpected ValueError at {__file__}:", "ValueError"),
    ],
)  # fmt: skip
def test_with_json_logs_the_last_line_is_json_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception, status: int, message: str,
    name: str,
) -> None:  # fmt: skip
    @click.command()
    @click.pass_context
    def lint(ctx: click.Context) -> None:
        use_format(ctx, "json")
        raise error

    monkeypatch.setattr(lint_module, "lint", lint)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(3))
    logging.getLogger("glossator").addHandler(handler)
    try:
        result = CliRunner().invoke(cli, ["lint"])
    finally:
        logging.getLogger("glossator").removeHandler(handler)
    assert (result.exit_code, result.stderr) == (status, "")
    (line,) = capfd.readouterr().err.splitlines()
    logged = json.loads(line)
    assert logged["message"].startswith(message)
    assert TEXT not in line
    assert (logged["level"], logged["slot"], logged["exception"]) == ("critical", 3, name)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("kafka", "status"), [("bootstrap.servers: 'localhost:1'", 69), ("sasl.pasword: x", 78)]
)  # fmt: skip
def test_each_line_of_run_is_in_the_format_of_the_log(tmp_path: Path, form: str, kafka: str, status: int) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        f"pipeline: p\nkafka: {{{kafka}}}\ninput: {{topics: [a]}}\noutput: {{topic: b}}\n"
        "tasks: [{name: tone, task: sentiment, model: starter}]\n"
    )
    command = [sys.executable, "-m", "glossator", "run", "--patience", "0.1", "--log-format", form, str(file)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (status, "")
    lines = result.stderr.splitlines()
    assert all(line.startswith("{") == (form == "json") for line in lines)
    if form == "json":
        last = [json.loads(line) for line in lines][-1]
        assert (last["level"], last["logger"]) == ("critical", "glossator")


def test_a_reader_that_has_gone_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    result = CliRunner().invoke(cli, ["lint"])
    assert (result.exit_code, result.stderr) == (1, "")


@pytest.mark.parametrize("args", [["nope"], ["--nope"], ["lint"], ["lint", "a", "b"], ["lint", "a", "--format", "xml"]])
def test_a_wrong_command_line_is_2(args: list[str]) -> None:
    assert CliRunner().invoke(cli, args).exit_code == 2


@pytest.mark.parametrize(("word", "verb"), [("rnu", "run"), ("Run", "run"), ("lnit", "lint"), ("tran", "train")])
def test_a_misspelt_verb_gets_a_suggestion(word: str, verb: str) -> None:
    result = CliRunner().invoke(cli, [word, "pipeline.yaml"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f'there is no verb "{word}", did you mean "{verb}"?\n')


def test_a_word_that_is_like_no_verb_gets_all_of_them() -> None:
    result = CliRunner().invoke(cli, ["zzzz"])
    assert result.exit_code == 2
    assert 'there is no verb "zzzz", only run, lint, ' in result.stderr


def test_help_lists_the_verbs_and_every_exit_status() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert all(f"\n  {verb} " in result.stdout for verb in ("run", "lint", "try", "test", "demo"))
    codes = {kind.exit_status for kind in every_error()}
    assert all(f"\n   {code:3d}  "[1:] in result.stdout for code in codes)
    assert "glossator lint examples/starter.yaml" in result.stdout


@pytest.mark.parametrize("verb", ["run", "lint", "try", "test", "demo"])
def test_the_help_of_each_verb_has_an_example_and_its_exit_status(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"glossator {verb}" in result.stdout
    assert "Exit status" in result.stdout


def test_version() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.stdout.split()[0]) == (0, "glossator")


@pytest.mark.parametrize(
    "args", [["--help"], ["run", "--help"], ["lint", "--help"], ["lint", str(ROOT / "examples/starter.yaml")]]
)
def test_help_and_lint_load_no_model_library(args: list[str]) -> None:
    code = (
        "import sys\n"
        "from workers.cli.main import cli\n"
        "try:\n    cli(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(*{'torch', 'transformers', 'tokenizers', 'numpy', 'rich'}.intersection(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stderr == "\n"
    assert ended.stdout


@pytest.mark.parametrize("patience", ["-1", "inf", "nan", "86401"])
def test_a_patience_that_would_wait_for_ever_is_a_wrong_command_line(patience: str) -> None:
    result = CliRunner().invoke(cli, ["run", "--patience", patience, "pipeline.yaml"])
    assert result.exit_code == 2
    assert "--patience" in result.stderr


def test_try_without_texts_and_with_standard_input_closed_is_a_wrong_command_line() -> None:
    command = f'"{sys.executable}" -m glossator try <&-'
    result = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert "standard input is closed" in result.stderr


def test_a_certificate_that_is_not_there_is_a_mistake_for_run(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "pipeline: p\nkafka:\n  bootstrap.servers: localhost:1\n  security.protocol: ssl\n"
        "  ssl.ca.location: /nowhere/ca.pem\ninput: {topics: [a]}\noutput: {topic: b}\n"
        "tasks: [{name: tone, task: sentiment, model: starter}]\n"
    )
    command = [sys.executable, "-m", "glossator", "run", str(file)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr == f"{file}:5:3 kafka.ssl.ca.location: there is no such file on this machine\n"
