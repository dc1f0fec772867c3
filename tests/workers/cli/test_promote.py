"""``glossator promote`` changes the pipeline file in one step, or only prints the change."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.errors import OutputError
from schemas.pipeline.loader import load
from tests.schemas.pipeline.test_promotion import AFTER, HEAD, SHADOW, TAIL, TARGET
from workers.cli.main import cli
from workers.cli.promote import replace_text

BEFORE = HEAD + TARGET + SHADOW + TAIL


def promote(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["promote", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(BEFORE)
    return path


@pytest.mark.parametrize("task", ["next", "safety"], ids=["the shadow", "its task"])
def test_the_file_is_replaced_and_keeps_its_permissions(file: Path, task: str) -> None:
    file.chmod(0o640)
    result = promote(str(file), task)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"{file}: safety has the settings of next, which is removed\n"
        "workers with --watch take it over by themselves, others on SIGHUP\n"
        "glossator: the condition of next is not taken over: safety keeps its own, if any\n"
    )
    assert file.read_text() == HEAD + AFTER + TAIL
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in file.parent.iterdir()] == ["pipeline.yaml"]
    assert load(file).tasks[0].model == "./packs/april"


@pytest.mark.parametrize("option", ["--dry-run", "--print"])
def test_a_dry_run_prints_a_diff_and_changes_nothing(file: Path, option: str) -> None:
    result = promote(option, str(file), "next")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"--- {file}", f"+++ {file} (promoted)"]
    assert "-  - name: next" in lines
    assert "+    model: ./packs/april   # trained on decisions" in lines
    assert file.read_text() == BEFORE


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["for good", "dry"])
def test_settings_that_the_shadow_does_not_have_are_named(file: Path, options: tuple[str, ...]) -> None:
    more = TARGET + "    taxonomy: standard\n    sentences: true\n    merge: mean\n"
    file.write_text(HEAD + more + SHADOW + TAIL)
    result = promote(*options, str(file), "next")
    assert result.exit_code == 0
    assert "glossator: safety loses merge, sentences: next does not have that\n" in result.stderr


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert promote(str(link), "next").exit_code == 0
    assert link.is_symlink()
    assert file.read_text() == HEAD + AFTER + TAIL


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        (BEFORE, "saftey", 'there is no task "saftey", did you mean "safety"?'),
        (HEAD + TARGET + TAIL, "safety", '"safety" is not a shadow and has none; the pipeline has no shadow'),
        (BEFORE + "x: 1\n", "next", "unknown field"),
        (
            HEAD + TARGET + SHADOW + SHADOW.replace("name: next", "name: later") + TAIL, "safety",
            '"safety" has several shadows: name one of next, later',
        ),
    ],
    ids=["unknown", "none", "mistake", "several"],
)  # fmt: skip
def test_what_cannot_be_promoted_changes_nothing(file: Path, text: str, task: str, message: str) -> None:
    file.write_text(text)
    result = promote(str(file), task)
    assert result.exit_code == (78 if "x: 1" in text else 2)
    assert message in result.stderr
    assert file.read_text() == text


def test_of_several_shadows_the_others_stay(file: Path) -> None:
    file.write_text(HEAD + TARGET + SHADOW + SHADOW.replace("name: next", "name: later") + TAIL)
    assert promote(str(file), "later").exit_code == 0
    assert load(file).shadows == {"next": "safety"}


def test_a_file_that_cannot_be_replaced_or_has_changed_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="has been changed meanwhile"):
        replace_text(file, "other", "new")

    def refuse(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", refuse)
    result = promote(str(file), "next")
    assert result.exit_code == OutputError.exit_status
    assert "cannot be replaced: device or resource busy; --dry-run prints what to change" in result.stderr
    assert file.read_text() == BEFORE
    assert [each.name for each in file.parent.iterdir()] == ["pipeline.yaml"]
