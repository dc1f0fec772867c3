"""``glossator lint`` prints mistakes to standard error and what would run to standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.schemas.pipeline.pipelines import GOOD, mutate
from tests.workers.cli.linting import lint
from workers.cli.main import cli

STARTER = Path(__file__).parents[3] / "examples/starter.yaml"


def test_a_good_file_says_what_would_run(tmp_path: Path) -> None:
    result = lint(tmp_path, GOOD)
    assert result.exit_code == 0
    assert (
        result.stdout
        == """\
p.yaml: ok
  pipeline  social-moderation, configuration 250e6e8c, at_least_once
  reads     posts, comments (json, text at $.body)
  tasks     toxicity  moderation  unitary/toxic-bert
            entities  ner         dslim/bert-base-NER @ d1a3e8f
  writes    posts.enriched, dead letters to posts.dead
"""
    )


def test_mistakes_are_lines_and_exit_78(tmp_path: Path) -> None:
    result = lint(tmp_path, GOOD.replace("model: u", "modle: u").replace("format: json", "format: jsn"))
    assert result.exit_code == 78
    assert result.stdout == ""
    assert result.stderr == (
        "p.yaml:7:11 input.format: must be one of json, text, cloudevents, connect, debezium, avro, protobuf, "
        'json_schema, did you mean "json"?\n'
        'p.yaml:12:5 tasks[0].modle: unknown field, did you mean "model"?\n'
    )


def test_settings_that_the_client_does_not_know_are_mistakes(tmp_path: Path) -> None:
    result = lint(tmp_path, mutate("sasl.password: ${SECRET:-hush}", "sasl.pasword: hush"))
    assert result.exit_code == 78
    assert result.stderr.splitlines()[0] == (
        'p.yaml:4:3 kafka.sasl.pasword: unknown setting of the Kafka client, did you mean "sasl.password"?'
    )
    assert "hush" not in result.stderr


def test_settings_that_the_client_does_not_know_are_found_beside_other_mistakes(tmp_path: Path) -> None:
    text = mutate("sasl.password: ${SECRET:-hush}", "sasl.pasword: hush").replace("format: json", "format: jsn")
    result = lint(tmp_path, text)
    assert result.exit_code == 78
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["4", "7"]


@pytest.mark.parametrize(
    ("condition", "options", "message"),
    [
        ("tone.label", (), "is text, not true or false; compare it with a value"),
        ("tone.label == 'posative'", (), None),
        (
            "tone.label == 'posative'", ("--plan",),
            'uses a label that task "tone" does not have, did you mean "positive"?',
        ),
    ],
)  # fmt: skip
def test_a_condition_that_fails_every_event_is_a_mistake_with_a_place(
    tmp_path: Path, condition: str, options: tuple[str, ...], message: str | None
) -> None:
    text = f"""\
pipeline: p
kafka: {{bootstrap.servers: "localhost:9092"}}
input: {{topics: [posts]}}
output: {{topic: out}}
tasks:
  - {{name: tone, task: sentiment, model: starter}}
  - name: who
    task: ner
    model: starter
    when: {condition}
"""
    result = lint(tmp_path, text, *options)
    lines = [line for line in result.stderr.splitlines() if line.startswith("p.yaml")]
    assert result.exit_code == (78 if message else 0)
    assert lines == ([f"p.yaml:10:11 tasks[1].when: {message}"] if message else [])


def test_json_is_for_programs(tmp_path: Path) -> None:
    good, bad = lint(tmp_path, GOOD, "--format", "json"), lint(tmp_path, "pipelin: x", "--format", "json")
    assert (good.exit_code, good.stderr) == (0, "")
    report = json.loads(good.stdout)
    assert (report["ok"], report["problems"], len(report["notices"])) == (True, [], 1)
    assert report["pipeline"] == {
        "name": "social-moderation",
        "config": "250e6e8c",
        "topics": ["posts", "comments"],
        "output": "posts.enriched",
        "shape": "event",
        "dead_letter": "posts.dead",
        "disagreements": None,
        "routes": [],
        "delivery": "at_least_once",
        "tasks": [
            {"name": "toxicity", "task": "moderation", "model": "unitary/toxic-bert", "revision": None, "shadow": None},
            {"name": "entities", "task": "ner", "model": "dslim/bert-base-NER", "revision": "d1a3e8f", "shadow": None},
        ],
    }
    assert (bad.exit_code, bad.stderr) == (78, "")
    report = json.loads(bad.stdout)
    assert (report["ok"], report["pipeline"]) == (False, None)
    assert report["problems"][-1] == {
        "file": "p.yaml", "line": 1, "column": 1, "path": "pipelin",
        "message": 'unknown field, did you mean "pipeline"?',
    }  # fmt: skip


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["lint", str(tmp_path / "nope.yaml")])
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr == f"{tmp_path / 'nope.yaml'}:1:1 there is no such file\n"


def test_the_starter_example_is_right() -> None:
    result = CliRunner().invoke(cli, ["lint", str(STARTER)])
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(("options", "status", "kind"), [((), 0, " (notice)"), (("--plan",), 78, "")])
def test_a_missing_file_of_references_matters_when_the_plan_is_wanted(
    tmp_path: Path, options: tuple[str, ...], status: int, kind: str
) -> None:
    head, _, rest = GOOD.partition("tasks:\n")
    tail = rest[rest.index("output:") :]
    text = f"{head}tasks: [{{name: private, task: pii}}]\n{tail}telemetry:\n  drift: drift.json\n"
    result = lint(tmp_path, text, *options)
    assert result.exit_code == status
    (line,) = [line for line in result.stderr.splitlines() if "drift.json" in line]
    assert line.startswith("p.yaml:") and line.endswith(kind or "or directory")
    assert ":10 telemetry.drift: drift.json (telemetry.drift) cannot be read: No such file or directory" in line


def test_plan_names_every_model_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    text = """\
pipeline: p
kafka: {bootstrap.servers: "localhost:9092"}
input: {topics: [posts]}
output: {topic: out}
tasks:
  - {name: first, task: sentiment, model: ./nowhere}
  - {name: fine, task: language}
  - {name: last, task: ner, model: ./empty, when: fine.label == "en"}
"""
    result = lint(tmp_path, text, "--plan")
    assert (result.exit_code, result.stdout) == (66, "")
    lines = [line for line in result.stderr.splitlines() if line.startswith("p.yaml") and "(notice)" not in line]
    assert [line.partition(": ")[0] for line in lines] == ["p.yaml:6:43 tasks[0].model", "p.yaml:8:36 tasks[2].model"]
    assert all("task " not in line for line in lines), "the place names the task"
    report = lint(tmp_path, text, "--plan", "--format", "json")
    assert report.exit_code == 66
    assert [problem["path"] for problem in json.loads(report.stdout)["problems"]] == [
        "tasks[0].model",
        "tasks[2].model",
    ]


def test_a_file_of_recognisers_is_named_as_such() -> None:
    result = CliRunner().invoke(cli, ["lint", str(STARTER.with_name("recognizers.yaml"))])
    assert result.exit_code == 78
    assert len(result.stderr.splitlines()) == 1
    assert 'has recognisers, which the task pii names in "recognizers:"' in result.stderr
