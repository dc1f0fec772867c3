"""JSON becomes the Protobuf that reading turns into the same JSON; what does not fit is named and not quoted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings

from schemas.errors import EncodeError
from schemas.pipeline.event_proto import proto_schema
from stream.codecs.protobuf_json import ProtobufReader
from stream.codecs.protobuf_schema import ProtobufSchema
from stream.output.formats.protobuf_writer import ProtobufWriter
from stream.registry.schema_errors import UnusableSchemaError
from tests.noop import pipeline
from tests.protobuf import EVERYTHING, descriptor, messages
from tests.stream.codecs.test_protobuf_json import CANONICAL, MAPPING, everything
from tests.thoroughness import examples

ALL = descriptor(EVERYTHING, "test.all.All")
READER, WRITER = ProtobufReader(ALL, "All"), ProtobufWriter(ALL)


def _read(value: bytes) -> Any:
    return json.loads(READER.as_json(READER.read(value, 0)[0])[0])


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(messages(CANONICAL))
def test_what_is_read_is_written_as_it_was(message: Any) -> None:
    event = _read(message.SerializeToString())
    assert GetMessageClass(CANONICAL).FromString(WRITER.write(event)) == message


@pytest.mark.parametrize("name", MAPPING)
def test_the_mapping_is_that_of_reading(name: str) -> None:
    fields, expected = MAPPING[name]
    assert WRITER.write({name: expected}, b"start") == b"start" + everything(**fields)


UNFIT: dict[str, tuple[Any, str]] = {
    "no object": ([], "$ is not an object"),
    "string": ({"text": 5}, "$.text is not a string"),
    "whole": ({"i32": 0.5}, "$.i32 is not a whole number"),
    "true": ({"i32": True}, "$.i32 is not a whole number"),
    "int32": ({"i32": 2**31}, "$.i32 is not a whole number of 32 bits"),
    "uint64": ({"u64": -1}, "$.u64 is not a whole number of 64 bits without a sign"),
    "long": ({"numbers": [1, 2**63]}, "$.numbers[1] is not a whole number of 64 bits"),
    "float": ({"f": 1e39}, "$.f is beyond the range of its type"),
    "double": ({"d": 10**400}, "$.d is beyond the range of its type"),
    "number": ({"d": "1"}, "$.d is not a number"),
    "boolean": ({"yes": 1}, "$.yes is not true or false"),
    "bytes": ({"raw": "s3cret!"}, "$.raw is not Base64"),
    "no base64": ({"raw": 7}, "$.raw is not a string"),
    "enum": ({"mood": "SO_SO"}, "$.mood is not a name of its enum"),
    "enum of a list": ({"moods": ["GOOD", "SO_SO"]}, "$.moods[1] is not a name of its enum"),
    "list": ({"words": "s3cret"}, "$.words is not an array"),
    "null in a list": ({"words": ["a", None]}, "$.words[1] is not a string"),
    "map": ({"names": ["a"]}, "$.names is not an object"),
    "key": ({"names": {"s3cret": "a"}}, "has a name that is not a number"),
    "long key": ({"names": {"9" * 5000: "a"}}, "has a name that is not a number"),
    "boolean key": ({"flags": {"yes": 1}}, "$.flags.yes has a name that is not true or false"),
    "message": ({"inner": "s3cret"}, "$.inner is not an object"),
    "nested": ({"many": [{"deep": {"text": 5}}]}, "$.many[0].deep.text is not a string"),
    "time": ({"at": "yesterday"}, "$.at is not a time of its type"),
    "no time": ({"took": 5}, "$.took is not a string"),
    "struct": ({"free": [1]}, "$.free is not an object"),
    "values": ({"list": {"a": 1}}, "$.list is not an array"),
    "digits": ({"free": {"a": [2**53 + 2]}}, "$.free has a whole number with more digits than a Value can hold"),
    "oneof": ({"a": "x", "b": {}}, "$ has several members of a oneof"),
    "wrapped": ({"wrapped": "x"}, "$.wrapped is not a whole number"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_is_an_error_with_its_place(case: str) -> None:
    event, reason = UNFIT[case]
    with pytest.raises(EncodeError) as error:
        WRITER.write(event)
    assert str(error.value).startswith("the event does not fit its Protobuf schema: $")
    assert str(error.value).endswith(reason)


def test_what_is_null_or_that_the_schema_lacks_is_left_out() -> None:
    assert WRITER.write({"text": None, "inner": None, "more": 1, "words": None}) == b""
    assert _read(WRITER.write({"value": None}))["value"] is None
    assert _read(WRITER.write({"mood": 9, "at": {"seconds": 2**60, "nanos": 0}}))["mood"] == 9
    assert _read(WRITER.write({"text": {"any": [1]}}))["text"] == '{"any":[1]}'


def test_what_is_required_must_be_there() -> None:
    old = descriptor("message Old { required string text = 1; enum E { A = 1; } optional E e = 2; }", "Old")
    with pytest.raises(EncodeError, match=r"\$ lacks .text, which is required"):
        ProtobufWriter(old).write({"text": None})
    with pytest.raises(EncodeError, match=r"\$\.e is not a name of its enum"):
        ProtobufWriter(old).write({"text": "t", "e": 5})


@pytest.mark.parametrize("name", ["again", "free"])
def test_what_is_nested_too_deep_is_an_error(name: str) -> None:
    for levels in (120, 5000):
        event: dict[str, Any] = {}
        for _ in range(levels):
            event = {name if name == "again" else "a": event}
        with pytest.raises(EncodeError, match=r"nested too deep|cannot be written as Protobuf"):
            WRITER.write(event if name == "again" else {"free": event})


EVERY_TASK: list[dict[str, Any]] = [
    {"name": "Spans", "task": "ner", "model": "m"},
    {"name": "_mine", "task": "pos", "model": "m"},
    {"name": "mine", "task": "custom", "use": "a:B"},
    {"name": "a_b", "task": "sentiment", "model": "m"},
    {"name": "aB", "task": "moderation", "model": "m"},
    {"name": "string", "task": "embedding", "model": "m"},
    {"name": "x1", "task": "coreference", "model": "m"},
    {"name": "x2", "task": "aspect-sentiment", "model": "m", "aspects": ["a"]},
    {"name": "x3", "task": "nli", "model": "m", "hypotheses": ["a"]},
    {"name": "x4", "task": "paraphrase", "model": "m", "against": "$.b"},
    {"name": "x5", "task": "similarity", "model": "m", "window": 9},
    {"name": "x6", "task": "question-answering", "model": "m", "questions": ["a?"]},
    {"name": "x7", "task": "language"},
]


def test_every_task_has_a_field_whose_number_is_its_own() -> None:
    schema = ProtobufSchema.parse(proto_schema(pipeline(tasks=EVERY_TASK), "a.b.Event"))
    annotations = schema.named("a.b.Event.Annotations")
    numbers = {field.name: field.number for field in annotations.fields}
    assert numbers.keys() == {task["name"] for task in EVERY_TASK}
    assert all(20_000 <= number < 2**29 for number in numbers.values())
    fewer = ProtobufSchema.parse(proto_schema(pipeline(tasks=EVERY_TASK[7:2:-1]), "Event")).named("Event.Annotations")
    assert {field.name: field.number for field in fewer.fields}.items() <= numbers.items()
    types = {field.name: field.message_type and field.message_type.name for field in annotations.fields}
    assert types["Spans"] == "Spans" and types["mine"] is None
    assert types["string"] == "Embedding" and types["x7"] == "Classification"


NUMBERS = """
Event: schema id pipeline source routed redacted disagreements event text fields annotations models notices
PipelineRef: name config
Source: topic partition offset key timestamp_ms
Disagreement: task shadow
TextField: path start end
ModelRef: model revision precision
Notice: task kind kept of share paths count bytes
Spans: spans
Span: start end label score text fine field original_start original_end
Embedding: vector scale
Classification: label score scores
Moderation: flagged labels sentences
FlaggedLabel: label score flagged
JudgedSentence: start end flagged scores field original_start original_end
Coreference: clusters
Cluster: spans
Mention: start end text field original_start original_end
Aspects: aspects
Aspect: aspect start end field label score scores original_start original_end
Hypotheses: hypotheses
Hypothesis: hypothesis label score scores
Paraphrase: paraphrase score
NearDuplicate: duplicate_of score
Answers: answers
Answered: question answer null_score alternatives
Answer: start end score text field original_start original_end
"""
"""The fields of each message in the order of their numbers. A line may only become longer: consumers rely on it."""


def test_numbers_never_change() -> None:
    schema = ProtobufSchema.parse(proto_schema(pipeline(tasks=EVERY_TASK), "Event"))
    fields = {
        message.name: [field.name for field in sorted(message.fields, key=lambda field: field.number)]
        for message, _ in schema.messages()
        if message.name != "Annotations" and not message.GetOptions().map_entry
    }
    assert fields == {line.split(": ")[0]: line.split(": ")[1].split() for line in NUMBERS.strip().splitlines()}


def test_a_schema_in_too_long_a_chain_is_a_reason() -> None:
    links = "".join(f"message M{n} {{ M{n + 1} next = 1; }}" for n in range(3000))
    schema = ProtobufSchema.parse(f'syntax = "proto3"; {links} message M3000 {{ string text = 1; }}')
    with pytest.raises(UnusableSchemaError, match="in too long a chain"):
        ProtobufWriter(schema.at((0,)))
