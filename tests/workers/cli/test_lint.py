"""``glossator lint`` prints mistakes to standard error and what would run to standard output."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.pipeline.loader import PipelineFile, parse_file
from schemas.pipeline.outputs import DeadLetter
from schemas.pipeline.redaction import Redact
from tests.schemas.pipeline.pipelines import GOOD, mutate
from workers.cli.lint import describe, exposed, missing
from workers.cli.main import cli

STARTER = Path(__file__).parents[3] / "examples/starter.yaml"


def lint(tmp_path: Path, text: str, *options: str) -> Result:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.delenv("SECRET", raising=False)
        return CliRunner().invoke(cli, ["lint", "p.yaml", *options])


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


def test_a_hub_model_without_a_revision_is_a_notice(tmp_path: Path) -> None:
    result = lint(tmp_path, GOOD)
    assert result.exit_code == 0
    assert result.stderr == (
        "p.yaml:12:12 tasks[0].model: no revision is pinned, so the model can change under you; "
        "set revision: to a commit (notice)\n"
    )


@pytest.mark.parametrize("model", ["starter", "folder"])
def test_what_cannot_be_pinned_needs_no_revision(tmp_path: Path, model: str) -> None:
    (tmp_path / "folder").mkdir()
    result = lint(tmp_path, mutate("unitary/toxic-bert", model))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("model", ["./models/mine", "/models/mine", "~/mine"])
def test_what_is_not_here_is_a_notice(tmp_path: Path, model: str) -> None:
    (tmp_path / "folder").mkdir()
    result = lint(tmp_path, mutate("unitary/toxic-bert", model))
    assert result.exit_code == 0
    assert result.stderr == "p.yaml:12:12 tasks[0].model: there is no such folder on this machine (notice)\n"


def test_a_model_is_noticed_once(tmp_path: Path) -> None:
    twice = GOOD.replace("tasks:\n", "tasks:\n  - {name: again, task: moderation, model: unitary/toxic-bert}\n")
    assert lint(tmp_path, twice).stderr.count("no revision is pinned") == 1


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


def test_a_certificate_that_is_not_here_is_a_notice(tmp_path: Path) -> None:
    secure = "sasl.password: ${SECRET:-hush}\n  security.protocol: ssl\n  ssl.ca.location: /nowhere/ca.pem"
    result = lint(tmp_path, mutate("sasl.password: ${SECRET:-hush}", secure))
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == (
        "p.yaml:6:20 kafka.ssl.ca.location: there is no such file on this machine (notice)"
    )


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


def test_routes_are_shown_in_their_order(tmp_path: Path) -> None:
    routes = (
        "  topic: posts.enriched\n  routes:\n"
        "    - {when: toxicity.flagged, topic: posts.review}\n"
        "    - {name: audit, topic: posts.audit, copy: true}\n"
        "    - {when: 'size(text) < 5', drop: true}\n"
    )
    text = GOOD.replace("  topic: posts.enriched\n", routes)
    lines = lint(tmp_path, text).stdout.splitlines()
    assert lines[-3:] == [
        "  routes    moves to posts.review, when toxicity.flagged",
        "            copies to posts.audit (audit)",
        "            drops, when size(text) < 5",
    ]
    report = json.loads(lint(tmp_path, text, "--format", "json").stdout)
    assert report["pipeline"]["routes"][1] == {
        "name": "audit", "when": None, "topic": "posts.audit", "copy": True, "drop": False,
        "shape": "event",
    }  # fmt: skip


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


def redacting(text: str, dead_letter: str = "original") -> PipelineFile:
    file = parse_file(text, "p.yaml", {})
    keys = {"hash": {"env": "HASH_KEY"}, "encrypt": [{"id": "k1", "file": "/none"}, {"id": "k0", "env": "KEY_0"}]}
    redact = Redact.model_validate({"default": "hash", "key": "encrypt", "keys": keys})
    output = file.pipeline.output.model_copy(update={"dead_letter": DeadLetter.model_validate({"text": dead_letter})})
    return replace(file, pipeline=file.pipeline.model_copy(update={"redact": redact, "output": output}))


def test_keys_are_listed_and_those_that_are_missing_are_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    file = redacting(GOOD)
    monkeypatch.delenv("HASH_KEY", raising=False)
    assert [problem.message for problem in missing(file)] == [
        "environment variable HASH_KEY is not set; openssl rand -hex 32 makes a key; every worker needs this key",
        "the file cannot be read: no such file or directory; openssl rand -hex 32 makes a key; every worker needs this "
        "key",
    ]
    monkeypatch.setenv("HASH_KEY", "ab")
    assert next(problem.message for problem in missing(file)).startswith("environment variable HASH_KEY has 1 bytes; ")
    lines = describe(file).splitlines()
    assert lines[1].endswith(" configuration unknown without its keys, at_least_once")
    assert lines[-1] == "  keys      hash from HASH_KEY, k1 from /none"
    monkeypatch.setattr("workers.cli.lint.read_key", lambda source, if_missing: None)
    assert list(missing(file)) == []


def test_what_no_task_reads_is_a_notice_if_the_text_is_redacted() -> None:
    text = GOOD.replace("dead_letter: posts.dead", "dead_letter: {text: none}\n  text: redacted")
    text = text.replace("output:", "  - {name: vector, task: embedding, model: starter}\noutput:")
    one, two = exposed(parse_file(f"{text}redact: {{}}\n", "p.yaml", {}))
    assert str(one) == (
        "p.yaml:28:9 redact: no task reads fields outside input.text, the key, headers: only values that were "
        "found in the text are redacted there; see redact.fields, redact.key, redact.headers"
    )
    assert str(two) == (
        "p.yaml:20:5 tasks[2]: the vector is that of the original text; leave it out where the text is redacted"
    )
    text = text.replace("$.body", "$..*").replace("  - {name: vector, task: embedding, model: starter}\n", "")
    (one,) = exposed(parse_file(f"{text}redact: {{key: remove, elsewhere: false}}\n", "p.yaml", {}))
    assert one.message == "no task reads headers: they pass as they are; see redact.fields, redact.key, redact.headers"
    covered = f"{text}redact: {{key: remove, headers: {{x: remove}}}}\n"
    assert list(exposed(parse_file(covered, "p.yaml", {}))) == []


def test_dead_letters_that_keep_the_original_are_a_notice_if_anything_is_redacted() -> None:
    (problem,) = exposed(redacting(GOOD))
    assert (
        str(problem) == "p.yaml:22:16 output.dead_letter: dead letters keep the original record; with {text: "
        "encrypted} or {text: none} they do not"
    )
    assert list(exposed(redacting(GOOD, "none"))) == list(exposed(parse_file(GOOD, "p.yaml", {}))) == []
    shown = [describe(redacting(GOOD, text)).splitlines()[-2] for text in ("original", "none", "encrypted")]
    assert [line.partition(" to ")[2] for line in shown] == [
        "posts.enriched.dead", "posts.enriched.dead without the original", "posts.enriched.dead, encrypted"
    ]  # fmt: skip


def test_what_a_topic_has_of_the_text_is_shown() -> None:
    routes = "[{copy: true, topic: a, text: none}, {copy: true, topic: b, text: original}, {copy: true, topic: c}]"
    output = f"topic: posts.enriched\n  text: redacted\n  routes: {routes}"
    text = f"{GOOD.replace('topic: posts.enriched', output)}redact: {{}}\n"
    assert describe(parse_file(text, "p.yaml", {})).splitlines()[-4:] == [
        "  writes    posts.enriched with redacted text, dead letters to posts.dead",
        "  routes    copies to a without text",
        "            copies to b with the original text",
        "            copies to c with redacted text",
    ]


def test_the_shape_of_a_topic_is_shown(tmp_path: Path) -> None:
    output = (
        "topic: posts.enriched\n  shape: perspective\n  routes: [{copy: true, topic: a, shape: event}, {drop: true}]"
    )
    text = GOOD.replace("topic: posts.enriched", output).replace("toxic-bert", "toxic-bert\n    taxonomy: perspective")
    result = lint(tmp_path, text)
    assert result.stdout.splitlines()[-3:] == [
        "  writes    posts.enriched in the shape perspective, dead letters to posts.dead",
        "  routes    copies to a",
        "            drops",
    ]
    report = json.loads(lint(tmp_path, text, "--format", "json").stdout)["pipeline"]
    assert (report["shape"], [route["shape"] for route in report["routes"]]) == ("perspective", ["event", None])


def test_answers_that_may_have_no_scores_are_notices(tmp_path: Path) -> None:
    text = GOOD.replace("topic: posts.enriched", "topic: posts.enriched\n  shape: perspective")
    text = text.replace("toxic-bert", "toxic-bert\n    taxonomy: perspective")
    notice = "output.shape: events for which toxicity does not run get an answer without scores (notice)"
    assert notice not in lint(tmp_path, text).stderr
    for line in ("when: size(text) > 5", "unknown_text: leave_out"):
        assert notice in lint(tmp_path, text.replace("taxonomy:", f"{line}\n    taxonomy:")).stderr


def test_libraries_that_are_not_installed_are_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HASH_KEY", "KEY"):
        monkeypatch.setenv(name, "ab" * 32)
    keys = "keys: {hash: {env: HASH_KEY}, encrypt: [{id: k, env: KEY}]}"
    text = GOOD.replace("topic: posts.enriched", "topic: posts.enriched\n  text: redacted")
    letters = text.replace("dead_letter: posts.dead", "dead_letter: {text: encrypted}")
    both = parse_file(
        f"{text}redact: {{labels: {{A: encrypt, PERSON: surrogate}}, default: encrypt, {keys}}}\n", "p", {}
    )
    only_letters = parse_file(f"{letters}redact: {{{keys}}}\n", "p", {})
    assert [*missing(both), *missing(only_letters)] == []
    for module in ("tokens", "surrogates"):
        monkeypatch.setattr(f"stream.output.redaction.{module}.find_spec", lambda name: None)
    assert [(problem.path, problem.message.split(",")[1]) for problem in (*missing(both), *missing(only_letters))] == [
        ("redact.default", " cryptography is not installed"),
        ("redact.labels.PERSON", " Faker is not installed"),
        ("output.dead_letter", " cryptography is not installed"),
    ]


def test_a_missing_extra_for_traces_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    file = parse_file(f"{GOOD}telemetry: {{traces: {{endpoint: 'http://localhost:4318'}}}}\n", "p", {})
    assert not [problem for problem in missing(file) if "installed" in problem.message]
    monkeypatch.setattr("stream.telemetry.traces.find_spec", lambda name: None)
    (found,) = [problem for problem in missing(file) if "installed" in problem.message]
    assert (found.path, found.message.rpartition(": ")[2]) == ("telemetry.traces", "pip install 'glossator[traces]'")


def test_libraries_that_tasks_need_and_that_are_missing_are_notices_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace(
        "output:", "  - {name: a, task: pii}\n  - {name: b, task: pii}\n  - {name: c, task: language}\noutput:"
    )
    assert not [problem for problem in missing(parse_file(text, "p", {})) if "installed" in problem.message]
    for module in ("workers.pii.checks", "workers.cli.libraries"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None)
    found = [problem for problem in missing(parse_file(text, "p", {})) if "installed" in problem.message]
    assert [(problem.path, problem.message.rpartition(": ")[2]) for problem in found] == [
        ("tasks[2]", "pip install 'glossator[pii]'"),
        ("tasks[4]", "pip install 'glossator[language]'"),
    ]


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


def test_plain_json_made_of_cloud_events_is_a_notice(tmp_path: Path) -> None:
    text = GOOD.replace("format: json", "format: cloudevents").replace(
        "  topic: posts.enriched\n",
        "  topic: posts.enriched\n  routes: [{topic: a, copy: true, format: json}, {topic: b, format: cloudevents}]\n",
    )
    result = lint(tmp_path, text)
    notices = [line.split(": keeps the headers")[0] for line in result.stderr.splitlines() if "ce_*" in line]
    assert notices == ["p.yaml:21:3 output.format", "p.yaml:22:43 output.routes[0].format"]
    assert "(cloudevents, text at $.body)" in result.stdout
    assert "moves to b as cloudevents" in result.stdout
    result = lint(tmp_path, text.replace("output:\n", "output:\n  format: cloudevents\n").replace(", format: json", ""))
    assert "ce_*" not in result.stderr
    assert "writes    posts.enriched as cloudevents, dead letters" in result.stdout


def test_a_pattern_that_matches_an_output_is_a_notice(tmp_path: Path) -> None:
    topics = '  topics: [posts, "comments"]\n'
    assert topics in GOOD
    result = lint(tmp_path, GOOD.replace(topics, "  topics: [comments, '^posts']\n"))
    assert result.exit_code == 0
    assert "reads     comments, ^posts (json" in result.stdout
    (notice,) = (line for line in result.stderr.splitlines() if "which the pipeline writes" in line)
    assert notice.startswith(
        "p.yaml:6:22 input.topics[1]: matches posts.dead, posts.enriched, which the pipeline writes"
    )
