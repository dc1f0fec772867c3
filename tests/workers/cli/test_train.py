"""``glossator train`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from workers.cli.main import cli


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    words = ("splendid", "horrible")
    rows = [{"text": f"Lamp {n} is {words[n % 2]}.", "label": ("good", "bad")[n % 2]} for n in range(120)]
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_a_table_and_how_to_go_on(labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    done = CliRunner().invoke(cli, ["train", str(labels), "--task", "text-classification", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "train, " in done.stdout and "accuracy" in done.stdout
    assert f"model: {out}" in done.stdout
    assert "whose head has other labels" in done.stdout
    again = CliRunner().invoke(cli, ["train", str(labels), "--task", "text-classification", "--out", str(out)])
    assert again.exit_code == 2 and "--force" in again.stderr


def test_bad_rows_are_told_as_compilers_do(labels: Path, tmp_path: Path) -> None:
    labels.write_text(labels.read_text() + '\n{"text": "Rhabarber"}\nRhabarber\n')
    done = CliRunner().invoke(cli, ["train", str(labels), "--task", "sentiment", "--out", str(tmp_path / "pack")])
    assert done.exit_code == 65
    lines = [line for line in done.stderr.splitlines() if line.startswith(str(labels))]
    assert [line.split(":")[1] for line in lines] == ["121", "122"]
    assert "Rhabarber" not in done.output
    assert not (tmp_path / "pack").exists()


def test_help_has_an_example() -> None:
    done = CliRunner().invoke(cli, ["train", "--help"])
    assert done.exit_code == 0 and "glossator train reviews.jsonl --task sentiment" in done.output
