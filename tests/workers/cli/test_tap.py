"""Which topic ``glossator tap`` follows; what it shows is tested in ``views``, and the rest on a broker."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.noop import pipeline
from tests.schemas.pipeline.pipelines import UNREACHABLE
from workers.cli.main import cli
from workers.cli.tap import _topic

SHADOWED = {"topic": "out", "disagreements": "odd", "routes": [{"topic": "review", "when": "true"}]}


@pytest.mark.parametrize(
    ("options", "topic"),
    [
        ((None, False, False), "out"), (("review", False, False), "review"), ((None, True, False), "out.dead"),
        ((None, False, True), "odd"),
    ],
)  # fmt: skip
def test_one_topic_is_followed(options: tuple[str | None, bool, bool], topic: str) -> None:
    assert _topic(pipeline(output=SHADOWED), *options) == topic


def test_a_topic_that_is_not_there_or_not_the_only_one_is_refused() -> None:
    with pytest.raises(click.UsageError, match="--route and --disagreements are different topics"):
        _topic(pipeline(output=SHADOWED), "review", False, True)
    with pytest.raises(click.UsageError, match="no topic for disagreements"):
        _topic(pipeline(), None, False, True)


def test_a_condition_on_a_field_that_no_annotation_has_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(UNREACHABLE)
    where = ["tap", str(file), "--patience", "0.2", "--where"]
    refused = CliRunner().invoke(cli, [*where, "tone.lable == 'positive'"])
    assert refused.exit_code == 2
    assert '"tone" has no field "lable", did you mean "label"?' in " ".join(refused.stderr.split())
    assert CliRunner().invoke(cli, [*where, "tone.label == 'positive'"]).exit_code == 69  # there is no broker


def test_a_condition_uses_a_shadow_only_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("""\
pipeline: p
kafka: {bootstrap.servers: "127.0.0.1:1"}
input: {topics: [in]}
tasks:
  - {name: tone, task: sentiment, model: starter}
  - {name: next, task: sentiment, model: starter, shadow: tone}
output: {topic: out, disagreements: odd}
""")
    where = ["tap", str(file), "--where", 'next.label == "positive"', "--patience", "0.2"]
    refused = CliRunner().invoke(cli, where)
    assert (refused.exit_code, '"next" is not known here' in refused.stderr) == (2, True)
    assert CliRunner().invoke(cli, [*where, "--disagreements"]).exit_code == 69  # there is no broker
