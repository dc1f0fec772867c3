"""The command that trains the starter: what it refuses before it starts."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from training.starter import main


def test_single_heads_are_fitted_only_on_the_shipped_adapter(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path), "--only", "pii"])
    assert result.exit_code == 2
    assert "--only needs --last" in result.output
