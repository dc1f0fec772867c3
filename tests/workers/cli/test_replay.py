"""The command line of ``glossator replay``, without a broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import OutputError
from tests.schemas.pipeline.pipelines import UNREACHABLE
from workers.cli.main import cli
from workers.cli.replay import _export


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--run", "--output", "x"), 2, "--output writes to a file; it cannot be used with --run or --to"),
        (("--to", "posts.enriched.dead"), 2, "posts.enriched.dead is the dead-letter topic itself"),
        (("--to", "a b", "--run"), 2, "'--to': the name of a topic has 1 to 249 letters, digits, . _ and -"),
        (("--to", "..", "--run"), 2, "is not . or .."),
        (("--where", "stage == 'decode'"), 2, '"stage" is not known here; use letter, key, headers'),
        (("--rate", "nan", "--run"), 2, "nan is not a number"),
        (("--patience", "0.2", "--run"), 69, "no broker answers at 127.0.0.1:1"),
    ],
)
def test_a_wrong_command_is_refused(tmp_path: Path, options: tuple[str, ...], status: int, message: str) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(UNREACHABLE)
    result = CliRunner().invoke(cli, ["replay", str(file), *options])
    assert result.exit_code == status
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("name", "reason"), [("", "Is a directory"), ("no/letters.jsonl", "No such file or directory")]
)
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str, reason: str) -> None:
    file = str(tmp_path / name)
    with pytest.raises(OutputError, match=f"^{file} cannot be written: {reason}$"):
        _export((), file)
