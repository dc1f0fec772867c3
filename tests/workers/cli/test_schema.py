"""``glossator schema`` prints what a worker would register."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.codecs.protobuf_schema import ProtobufSchema
from tests.schemas.pipeline.pipelines import GOOD
from workers.cli.schema import schema


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_the_schema_of_a_pipelines_events(tmp_path: Path, form: str) -> None:
    (tmp_path / "p.yaml").write_text(GOOD)
    for options, name in (([], "glossator.EnrichedEvent"), (["--record", "a.B"], "a.B")):
        result = CliRunner().invoke(schema, ["--format", form, str(tmp_path / "p.yaml"), *options])
        assert result.exit_code == 0
        if form == "avro":
            printed = json.loads(result.stdout)
            assert f"{printed['namespace']}.{printed['name']}" == name
        else:
            printed = ProtobufSchema.parse(result.stdout)
            assert {field.name for field in printed.named(f"{name}.Annotations").fields} == {"toxicity", "entities"}
    result = CliRunner().invoke(schema, ["--format", form, str(tmp_path / "p.yaml"), "--record", "a b"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--record: must be names with dots between them, such as com.example.Post" in " ".join(result.stderr.split())
    result = CliRunner().invoke(schema, ["--format", form])
    assert result.exit_code == 2
    assert f"--format {form} needs PIPELINE" in result.stderr


def test_a_record_name_needs_a_format_that_has_one() -> None:
    result = CliRunner().invoke(schema, ["--record", "a.B"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--record can only be used with --format avro or --format protobuf" in " ".join(result.stderr.split())
