"""What docs/redaction.md says about operators, keys and tokens is true."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from schemas.labels import PATTERNED, SURROGATES
from schemas.pipeline.redaction import OPERATORS, Redact
from stream.output.redaction.canonical import canonical_form
from stream.output.redaction.keys import Key, Keys
from tests.stream.output.redaction.leaking import MUTANTS
from tests.stream.output.redaction.lib import SECRET, replaced
from workers.cli.main import cli

PAGE = (Path(__file__).parents[1] / "docs/redaction.md").read_text()


def section(heading: str) -> str:
    match = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, heading
    return match[1]


def rows(heading: str) -> list[list[str]]:
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_first_pipeline_prints_what_is_shown(tmp_path: Path) -> None:
    text = section("In five minutes")
    (pipeline,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "mask.yaml").write_text(pipeline)
    (command,) = re.findall(r"^glossator (try .*?) \| jq", text, re.DOTALL | re.MULTILINE)
    words = shlex.split(command.replace("\\\n", "").replace("mask.yaml", str(tmp_path / "mask.yaml")))
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0
    printed = [json.loads(line) for line in result.stdout.splitlines()]
    shown = [json.loads(line) for line in re.findall(r"^\[.*\]$", text, re.MULTILINE)]
    assert [[event["text"], event["routed"]] for event in printed] == shown


def test_the_example_is_right() -> None:
    (example, *_) = re.findall(r"```yaml\n(redact:.*?)```", PAGE, re.DOTALL)
    redact = Redact.model_validate(YAML(typ="safe").load(example)["redact"])
    assert {operator.name for _, operator in redact.operators()} == set(OPERATORS) - {"surrogate"}


def test_every_threat_has_a_mutant_and_every_mutant_a_threat() -> None:
    named = [name for _, _, mutants in rows("Threats") for name in re.findall(r"`([a-z-]+)`", mutants)]
    assert set(named) == set(MUTANTS)


def test_what_operators_write_is_what_they_write() -> None:
    keys = Keys(Key(SECRET), {"k1": Key(SECRET)})
    shown = {cells[0].strip("`"): re.findall(r"`([^`]+)`", cells[1]) for cells in rows("Operators")}
    assert list(shown) == list(OPERATORS)
    numbered, mask = {"replace": {"numbered": True}}, {"mask": {"keep_last": 4}}
    assert shown["replace"][:2] == [replaced(operator, "PERSON", "Anna", keys) for operator in ("replace", numbered)]
    assert shown["mask"] == [replaced(mask, "CREDIT_CARD", "4111111111111111", keys)]
    assert shown["hash"] == [replaced("hash", "EMAIL_ADDRESS", "anna@example.com", keys)]
    assert shown["encrypt"] == [replaced("encrypt", "PERSON", "Anna", keys)]
    assert shown["surrogate"] == [replaced("surrogate", "PERSON", "Anna Schmidt", keys)]
    assert replaced({"mask": {"keep_last": 4}}, "PERSON", "1234") == "****"


def test_canonical_forms_are_as_shown() -> None:
    listed = [re.findall(r"`([A-Z_]+)`", cells[0]) for cells in rows("When two values are the same")]
    for labels, (_, _, example) in zip(listed, rows("When two values are the same"), strict=True):
        value, form = re.findall(r"`([^`]+)`", example)
        for label in labels:
            assert canonical_form(label)(value) == form
    exact = set(PATTERNED).intersection(*[listed[2]])
    for label in PATTERNED:
        assert (canonical_form(label)("a-B ") == "a-B ") is (label in exact)


def test_every_surrogate_is_explained() -> None:
    assert sorted(label for cells in rows("Surrogates") for label in re.findall(r"`([A-Z_]{3,})`", cells[0])) == list(
        SURROGATES
    )


def test_the_example_of_reveal_decrypts() -> None:
    (command, *_) = re.findall(r"^glossator (reveal --key .*)$", PAGE, re.MULTILINE)
    match = re.fullmatch(r"reveal (--key) (\S+) '(.*)'", command)
    assert match
    result = CliRunner(env={"GLOSSATOR_KEY_1": SECRET.hex()}).invoke(cli, ["reveal", *match.groups()])
    assert (result.exit_code, result.stdout) == (0, "Call Anna\n")


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    file, _, anchor = link.partition("#")
    if link.startswith("http"):
        return
    page = PAGE if not file else (Path(__file__).parents[1] / "docs" / file).read_text()
    headings = [re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                for line in page.splitlines() if line.startswith("#")]  # fmt: skip
    assert not anchor or anchor in headings
