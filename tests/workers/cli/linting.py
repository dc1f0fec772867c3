"""Runs ``glossator lint`` on a text, and makes pipeline files that redact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.pipeline.loader import PipelineFile, parse_file
from schemas.pipeline.outputs import DeadLetter
from schemas.pipeline.redaction import Redact
from workers.cli.main import cli


def lint(tmp_path: Path, text: str, *options: str) -> Result:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.delenv("SECRET", raising=False)
        return CliRunner().invoke(cli, ["lint", "p.yaml", *options])


def redacting(text: str, dead_letter: str = "original") -> PipelineFile:
    file = parse_file(text, "p.yaml", {})
    keys = {"hash": {"env": "HASH_KEY"}, "encrypt": [{"id": "k1", "file": "/none"}, {"id": "k0", "env": "KEY_0"}]}
    redact = Redact.model_validate({"default": "hash", "key": "encrypt", "keys": keys})
    output = file.pipeline.output.model_copy(update={"dead_letter": DeadLetter.model_validate({"text": dead_letter})})
    return replace(file, pipeline=file.pipeline.model_copy(update={"redact": redact, "output": output}))
