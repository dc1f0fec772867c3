"""How formats are written in the pipeline file, and the mistakes in them."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.formats import CloudEvents, OutputFormat
from schemas.pipeline.loader import parse
from tests.schemas.pipeline.pipelines import GOOD


def _parsed(*lines: str) -> Pipeline:
    added = "".join(f"  {line}\n" for line in ("topic: posts.enriched", *lines))
    return parse(GOOD.replace("  topic: posts.enriched\n", added), "p.yaml", {})


def _wrong(*lines: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _parsed(*lines)
    return [str(problem).split(" ", 1)[1] for problem in caught.value.problems]


def test_a_name_is_the_same_as_the_format_without_options() -> None:
    short, long = _parsed("format: cloudevents").output, _parsed("format: {cloudevents: {}}").output
    assert short == long
    assert short.format_of(None) == OutputFormat(cloudevents=CloudEvents())
    assert hash(short.format_of(None)) == hash(long.format_of(None))


def test_a_route_has_the_format_of_the_output_unless_it_says_otherwise() -> None:
    output = _parsed(
        "format: {cloudevents: {type: a}}",
        "routes: [{when: 'true', topic: a}, {when: 'true', topic: b, format: json}, {topic: c, format: cloudevents}]",
    ).output
    chosen = [output.format_of(route) for route in output.routes or ()]
    assert [None if each is None or each.cloudevents is None else each.cloudevents.type for each in chosen] == [
        "a", None, "glossator.event/1"
    ]  # fmt: skip
    assert _parsed().output.format_of(None) is None
    assert _parsed("format: {json: {}}").output == _parsed("format: json").output == _parsed().output


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        (
            "format: cloudevent",
            [
                "output.format: must be one of json, cloudevents, avro, protobuf, json_schema, "
                'did you mean "cloudevents"?'
            ],
        ),
        ("format: [json]", ["output.format: must be one of json, cloudevents, avro, protobuf, json_schema"]),
        ("format: {}", ["output.format: must name exactly one format"]),
        ("format:", ["output.format: must not be empty"]),
        (
            "format: {cloudevents: {mode: structure, tpye: a, source: '', subject: 1, dataschema: ' '}}",
            [
                'output.format.cloudevents.mode: must be one of binary, structured, did you mean "structured"?',
                'output.format.cloudevents.tpye: unknown field, did you mean "type"?',
                "output.format.cloudevents.source: must not be empty",
                "output.format.cloudevents.subject: must be one of input, key",
                "output.format.cloudevents.dataschema: must be visible characters",
            ],
        ),
        (
            "format: {protobuf: {message: a.B, subject.name.strategy: topic, recrod: a.B}}",
            [
                'output.format: "protobuf" needs a Schema Registry: set registry.url',
                'output.format.protobuf.message: unknown field, did you mean "record"?',
                'output.format.protobuf.subject.name.strategy: unknown field, did you mean "subject"?',
                'output.format.protobuf.recrod: unknown field, did you mean "record"?',
            ],
        ),
        ('format: {cloudevents: {type: "a\\nb"}}', ["output.format.cloudevents.type: must be visible characters"]),
        (
            "routes: [{drop: true, format: cloudevents}]",
            ["output.routes[0].format: cannot be used with drop: true, which publishes nothing"],
        ),
        (
            "routes: [{topic: a, format: cloudevents, headers: {ce_type: a, ce_tenant: b, Content-Type: c, ce_id: d}}]",
            [
                "output.routes[0].headers.ce_type: cannot be set: it is an attribute of the CloudEvent; use format: "
                "{cloudevents: {type: ...}}",
                "output.routes[0].headers.Content-Type: cannot be set: it is an attribute of the CloudEvent",
                "output.routes[0].headers.ce_id: cannot be set: it is an attribute of the CloudEvent",
            ],
        ),
    ],
    ids=["misspelt", "list", "none", "empty", "options", "other names", "control", "drop", "headers"],
)  # fmt: skip
def test_mistakes(line: str, problems: list[str]) -> None:
    assert _wrong(line) == problems


def _wrong_input(lines: str) -> list[str]:
    assert "input:\n" in GOOD
    start = GOOD.index("input:\n")
    end = GOOD.index("\n", GOOD.index("text:", start)) + 1
    with pytest.raises(ConfigError) as caught:
        parse(f"{GOOD[:start]}input:\n  topics: [posts]\n{lines}{GOOD[end:]}", "p.yaml", {})
    return [str(problem).split(" ", 1)[1] for problem in caught.value.problems]


OF_ROWS = "must begin with $.after, the row after the change, for example $.after.text"


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        ("  format: debezium\n", [f"input.text: {OF_ROWS}"]),
        ("  format: debezium\n  text: $.after\n", [f"input.text: {OF_ROWS}"]),
        ("  format: debezium\n  text: [$.after.a, $.before.a]\n", [f"input.text[1]: {OF_ROWS}"]),
        ("  format: debezum\n", [
            'input.format: must be one of json, text, cloudevents, connect, debezium, avro, protobuf, json_schema, '
            'did you mean "debezium"?'
        ]),
    ],
    ids=["default", "row", "before", "misspelt"],
)  # fmt: skip
def test_mistakes_in_the_format_of_the_input(lines: str, problems: list[str]) -> None:
    assert _wrong_input(lines) == problems
