"""What a pipeline needs and this machine lacks is a notice of ``glossator lint``."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.pipeline.loader import parse_file
from tests.schemas.pipeline.pipelines import GOOD, mutate
from tests.workers.cli.linting import lint, redacting
from workers.cli.missing import missing


@pytest.mark.parametrize("model", ["./models/mine", "/models/mine", "~/mine"])
def test_what_is_not_here_is_a_notice(tmp_path: Path, model: str) -> None:
    (tmp_path / "folder").mkdir()
    result = lint(tmp_path, mutate("unitary/toxic-bert", model))
    assert result.exit_code == 0
    assert result.stderr == "p.yaml:12:12 tasks[0].model: there is no such folder on this machine (notice)\n"


def test_a_certificate_that_is_not_here_is_a_notice(tmp_path: Path) -> None:
    secure = "sasl.password: ${SECRET:-hush}\n  security.protocol: ssl\n  ssl.ca.location: /nowhere/ca.pem"
    result = lint(tmp_path, mutate("sasl.password: ${SECRET:-hush}", secure))
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == (
        "p.yaml:6:20 kafka.ssl.ca.location: there is no such file on this machine (notice)"
    )


def test_keys_that_are_missing_are_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    file = redacting(GOOD)
    monkeypatch.delenv("HASH_KEY", raising=False)
    assert [problem.message for problem in missing(file)] == [
        "environment variable HASH_KEY is not set; openssl rand -hex 32 makes a key; every worker needs this key",
        "the file cannot be read: no such file or directory; openssl rand -hex 32 makes a key; every worker needs this "
        "key",
    ]
    monkeypatch.setenv("HASH_KEY", "ab")
    assert next(problem.message for problem in missing(file)).startswith("environment variable HASH_KEY has 1 bytes; ")
    monkeypatch.setattr("workers.cli.missing.read_key", lambda source, if_missing: None)
    assert list(missing(file)) == []


def test_libraries_that_are_not_installed_are_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HASH_KEY", "KEY"):
        monkeypatch.setenv(name, "ab" * 32)
    keys = "keys: {hash: {env: HASH_KEY}, encrypt: [{id: k, env: KEY}]}"
    text = GOOD.replace("topic: posts.enriched", "topic: posts.enriched\n  text: redacted")
    letters = text.replace("dead_letter: posts.dead", "dead_letter: {text: encrypted}")
    both = parse_file(
        f"{text}redact: {{labels: {{A: encrypt, PERSON: surrogate}}, default: encrypt, {keys}}}\n", "p", {}
    )
    only_letters = parse_file(f"{letters}redact: {{{keys}}}\n", "p", {})
    assert [*missing(both), *missing(only_letters)] == []
    for module in ("tokens", "surrogates"):
        monkeypatch.setattr(f"stream.output.redaction.{module}.find_spec", lambda name: None)
    assert [(problem.path, problem.message.split(",")[1]) for problem in (*missing(both), *missing(only_letters))] == [
        ("redact.default", " cryptography is not installed"),
        ("redact.labels.PERSON", " Faker is not installed"),
        ("output.dead_letter", " cryptography is not installed"),
    ]


def test_a_missing_extra_for_traces_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    file = parse_file(f"{GOOD}telemetry: {{traces: {{endpoint: 'http://localhost:4318'}}}}\n", "p", {})
    assert not [problem for problem in missing(file) if "installed" in problem.message]
    monkeypatch.setattr("stream.telemetry.traces.find_spec", lambda name: None)
    (notice,) = [problem for problem in missing(file) if "installed" in problem.message]
    assert (notice.path, notice.message.rpartition(": ")[2]) == ("telemetry.traces", "pip install 'glossator[traces]'")


def test_libraries_that_tasks_need_and_that_are_missing_are_notices_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace(
        "output:", "  - {name: a, task: pii}\n  - {name: b, task: pii}\n  - {name: c, task: language}\noutput:"
    )
    assert not [problem for problem in missing(parse_file(text, "p", {})) if "installed" in problem.message]
    for module in ("workers.pii.checks", "workers.cli.libraries"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None)
    notices = [problem for problem in missing(parse_file(text, "p", {})) if "installed" in problem.message]
    assert [(problem.path, problem.message.rpartition(": ")[2]) for problem in notices] == [
        ("tasks[2]", "pip install 'glossator[pii]'"),
        ("tasks[4]", "pip install 'glossator[language]'"),
    ]
