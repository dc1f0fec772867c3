"""``glossator try`` prints one line for every line of input, in order, as soon as the input pauses."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from click.testing import CliRunner, Result

from schemas.document import Document
from schemas.pipeline.loader import load
from stream.output.event_builder import EventBuilder
from stream.output.routes import Router
from tests import noop
from tests.workers import tiny
from workers.cli.default_pipeline import starter_pipeline
from workers.cli.main import cli
from workers.cli.try_ import _encode

ROOT = Path(__file__).parents[3]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas/event.schema.json").read_text()))
TEXT = "Angela Merkel praised the awful coffee 🙂 in Paris."


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("try") / "pipeline.yaml"
    file.write_text(f"""\
pipeline: tiny
kafka: {{bootstrap.servers: nowhere:1}}
input: {{topics: [posts], max_bytes: 2000}}
tasks:
  - {{name: tone, task: sentiment, model: {tiny.checkpoint("bert", "sequence")}}}
  - {{name: names, task: ner, model: {tiny.checkpoint("bert", "token")}, aggregation: first}}
output: {{topic: posts.enriched}}
compute: {{forward_tokens: 256}}
""")
    return str(file)


def tried(*arguments: str, stdin: bytes = b"") -> tuple[Result, list[dict[str, Any]]]:
    result = CliRunner().invoke(cli, ["try", *arguments], input=stdin)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_texts_of_the_command_line_become_events(pipeline: str) -> None:
    result, events = tried("--pipeline", pipeline, TEXT, "again")
    assert result.exit_code == 0
    for event, text in zip(events, (TEXT, "again"), strict=True):
        SCHEMA.validate(event)
        assert event["text"] == text
        assert event["source"] is None
        for span in event["annotations"]["names"]["spans"]:
            assert text[span["start"] : span["end"]] == span["text"]
    assert events[0]["annotations"]["names"]["spans"]


def test_lines_of_standard_input_become_events_and_bad_ones_errors_in_their_place(pipeline: str) -> None:
    texts = [TEXT.encode(), b"", b"\xff\xfe", b"windows line\r", b"x" * 2001, b"last without end"]
    result, events = tried("--pipeline", pipeline, stdin=b"\n".join(texts))
    assert result.exit_code == 65
    assert [event.get("text") for event in events] == [TEXT, None, None, "windows line", None, "last without end"]
    errors = [event["error"] for event in events if "error" in event]
    assert errors == [
        {"number": 2, "stage": "decode", "class": "DecodeError", "message": "the text is empty", "task": None},
        {"number": 3, "stage": "decode", "class": "DecodeError", "task": None,
         "message": "the value is not UTF-8: bad byte at position 0"},
        {"number": 5, "stage": "decode", "class": "DecodeError", "task": None,
         "message": "the text has 2001 bytes, input.max_bytes is 2000"},
    ]  # fmt: skip


def test_with_several_paths_each_text_is_an_event(pipeline: str, tmp_path: Path) -> None:
    file = tmp_path / "several.yaml"
    file.write_text(Path(pipeline).read_text().replace("topics: [posts]", "topics: [posts], text: [$.title, $.body]"))
    lines = [json.dumps({"title": "Hello", "body": TEXT}), "no event", json.dumps({"body": TEXT})]
    result, (both, error, second) = tried("--pipeline", str(file), stdin="\n".join(lines).encode())
    assert result.exit_code == 65
    SCHEMA.validate(both)
    assert [field["path"] for field in both["fields"]] == ["$.title", "$.body"]
    for span in both["annotations"]["names"]["spans"]:
        assert span["field"] == ("$.title" if span["end"] <= len("Hello") else "$.body")
    assert error["error"]["message"].startswith("the value is not JSON")
    assert "each TEXT must be an event, as JSON" in result.stderr
    assert second["text"] == TEXT
    assert second["notices"] == [{"kind": "missing", "paths": ["$.title"]}]
    result, _ = tried("--events", "--pipeline", str(file), "no event")
    assert (result.exit_code, result.stderr) == (65, "")  # with --events, nobody needs to be told


def test_a_text_that_comes_again_is_a_duplicate_of_the_first(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(f"""\
pipeline: tiny
kafka: {{bootstrap.servers: nowhere:1}}
input: {{topics: [posts]}}
tasks:
  - {{name: again, task: similarity, model: {tiny.checkpoint("bert", "embedding")}, window: 10, threshold: 0.999}}
output: {{topic: posts.enriched}}
""")
    result, (first, other, third) = tried("--pipeline", str(file), TEXT, "the fox", TEXT)
    assert result.exit_code == 0
    assert first["annotations"]["again"]["duplicate_of"] is None
    assert other["annotations"]["again"]["duplicate_of"] is None
    assert third["annotations"]["again"] == {"duplicate_of": first["id"], "score": 1.0}
    assert len({first["id"], other["id"], third["id"]}) == 3
    # Texts from standard input are numbered in the same way, in however many batches they arrive.
    _, again = tried("--pipeline", str(file), stdin="\n".join([TEXT, "the fox", TEXT]).encode())
    assert [event["id"] for event in again] == [first["id"], other["id"], third["id"]]


def test_an_argument_that_is_not_utf8_is_an_error(pipeline: str) -> None:
    result, (event,) = tried("--pipeline", pipeline, os.fsdecode(b"caf\xe9"))
    assert (result.exit_code, event["error"]["class"]) == (65, "DecodeError")


def test_pretty_is_for_people(pipeline: str) -> None:
    result = CliRunner().invoke(cli, ["try", "--pretty", "--pipeline", pipeline, f"{TEXT}\x1b[2J", ""])
    assert result.exit_code == 65
    assert "\x1b" not in result.stdout
    first, *rest = result.stdout.splitlines()
    assert first == f"{TEXT}␛[2J"
    assert any(line.startswith("  tone ") for line in rest)
    assert rest[-1] == "text 2: the text is empty (DecodeError)"


@pytest.mark.slow
def test_a_shadow_is_shown_to_people_and_is_in_no_event(pipeline: str, tmp_path: Path) -> None:
    file = tmp_path / "shadow.yaml"
    other = tiny.checkpoint("bert", "token", seed=3)
    shadow = f"  - {{name: more, task: ner, model: {other}, shadow: names, aggregation: first}}\noutput:"
    file.write_text(Path(pipeline).read_text().replace("output:", shadow))
    result, (event,) = tried("--pipeline", str(file), TEXT)
    SCHEMA.validate(event)
    assert set(event["annotations"]) == set(event["models"]) == {"tone", "names"}
    assert result.stderr == ""
    pretty = CliRunner().invoke(cli, ["try", "--pretty", "--pipeline", str(file), TEXT]).stdout.splitlines()
    assert [line.split()[0] for line in pretty[1:]] == ["tone", "names", "more"]
    assert pretty[3].endswith("(shadow of names)")


@pytest.mark.slow  # a process of its own, with a model
def test_events_come_while_the_input_is_still_open_and_nothing_else_goes_into_a_pipe(pipeline: str) -> None:
    command = [sys.executable, "-m", "workers.cli.main", "try", "--pipeline", pipeline]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for text in (b"one", b"two"):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text.decode()
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")
        assert process.wait(60) == 0


def test_a_pipeline_file_that_is_not_there_is_status_78() -> None:
    result, _ = tried("--pipeline", "nowhere.yaml", "x")
    assert result.exit_code == 78


def test_the_default_is_the_example() -> None:
    assert starter_pipeline() == load(ROOT / "examples/starter.yaml", {})


@pytest.mark.slow
def test_a_terminal_sees_that_models_are_loading(pipeline: str) -> None:
    command = [sys.executable, "-m", "workers.cli.main", "try", "--pipeline", pipeline, TEXT]
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while chunk := os.read(screen, 4096):
                shown += chunk
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(screen)
    assert process.returncode == 0
    assert b"loading the libraries" in shown
    assert printed == tried("--pipeline", pipeline, TEXT)[0].stdout_bytes


@pytest.mark.parametrize(
    ("routes", "routed"),
    [
        ([{"when": "event.n == 1", "topic": "a", "name": "one"}], ["one"]),
        ([{"topic": "a", "copy": True}, {"when": "event.n == 2", "drop": True}], ["a"]),
    ],
)
def test_an_event_names_the_routes_that_would_take_it(routes: Any, routed: list[str]) -> None:
    settings = noop.pipeline(output={"topic": "out", "routes": routes})
    document = Document(None, "a", b"{}", {"n": 1})
    line, good = _encode(document, EventBuilder(settings, {}), Router(settings.output))
    assert good
    assert orjson.loads(line)["routed"] == routed


def test_a_route_that_fails_is_an_error_that_names_it() -> None:
    settings = noop.pipeline(output={"topic": "out", "routes": [{"topic": "a", "key": "$.id", "name": "by-id"}]})
    line, good = _encode(Document(None, "a", b"{}", {}), EventBuilder(settings, {}), Router(settings.output))
    assert not good
    error = orjson.loads(line)["error"]
    assert (error["stage"], error["task"]) == ("route", "by-id")
    assert error["message"] == "there is no value for the key at $.id"


@pytest.fixture
def shaped(tmp_path: Path) -> str:
    model = tiny.checkpoint("bert", "sequence", 0, ("toxic", "insult"), problem_type="multi_label_classification")
    file = tmp_path / "shaped.yaml"
    file.write_text(f"""\
pipeline: shaped
kafka: {{bootstrap.servers: nowhere:1}}
input: {{topics: [posts]}}
tasks:
  - {{name: safety, task: moderation, model: {model}, taxonomy: perspective}}
output:
  topic: posts.scored
  shape: perspective
  routes:
    - {{name: events, topic: posts.enriched, shape: event, text: none, copy: true}}
    - {{when: 'safety.flagged || true', drop: true}}
compute: {{forward_tokens: 256}}
""")
    return str(file)


def test_texts_are_printed_in_the_shape_of_the_output_or_of_a_route(shaped: str) -> None:
    result, (answer,) = tried("--pipeline", shaped, TEXT)
    assert result.exit_code == 0
    assert set(answer["attributeScores"]) == {"TOXICITY", "INSULT"}
    _, (event,) = tried("--pipeline", shaped, "--route", "events", TEXT)
    SCHEMA.validate(event)
    assert "text" not in event
    assert event["routed"] == ["events", "drop"]


def test_events_are_answered_as_requests_if_they_are_some(shaped: str) -> None:
    request = json.dumps({"text": TEXT, "requestedAttributes": {"INSULT": {}}, "clientToken": "7"})
    _, (as_event,) = tried("--pipeline", shaped, "--events", request)
    assert (list(as_event["attributeScores"]), as_event["clientToken"]) == (["INSULT"], "7")
    _, (as_text,) = tried("--pipeline", shaped, request)
    assert "clientToken" not in as_text
    result, (error,) = tried("--pipeline", shaped, "--events", TEXT)
    assert (result.exit_code, error["error"]["stage"]) == (65, "decode")


def test_people_read_the_event_whatever_the_shape_is(shaped: str) -> None:
    result = CliRunner().invoke(cli, ["try", "--pretty", "--pipeline", shaped, TEXT])
    assert "TOXICITY" in result.stdout and TEXT in result.stdout


def test_a_route_that_publishes_nothing_or_is_not_there_cannot_be_tried(shaped: str, pipeline: str) -> None:
    for file, route, hint in ((shaped, "drop", "it has events"), (pipeline, "events", "the pipeline has none")):
        result = CliRunner().invoke(cli, ["try", "--pipeline", file, "--route", route, TEXT])
        assert result.exit_code == 2
        assert f'there is no route "{route}" with a topic; {hint}' in result.stderr
