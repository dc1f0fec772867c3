"""docs/training.md lists the exit statuses that the help of `glossator train` lists."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from workers.cli.main import cli

PAGE = (Path(__file__).parents[1] / "docs/training.md").read_text()


def test_every_exit_status_of_a_training_is_listed() -> None:
    section = PAGE.partition("## Exit statuses\n")[2].partition("\n## ")[0]
    listed = re.findall(r"(?:^|;\s)\s*(\d+) ", section.strip())
    shown = CliRunner().invoke(cli, ["train", "--help"]).stdout.partition("Exit status:\n")[2]
    assert listed == re.findall(r"^ +(\d+)  ", shown, re.MULTILINE) != []
