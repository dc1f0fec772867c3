"""Messages become the JSON of google.protobuf's own json_format, but for the differences that the page names."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import DecodeError
from stream.codecs.proto_text import parse_proto
from stream.codecs.protobuf_json import ProtobufReader
from stream.codecs.protobuf_schema import ProtobufSchema
from stream.registry.schema_errors import UnusableSchemaError
from tests.protobuf import EVERYTHING, descriptor, messages
from tests.thoroughness import examples

ALL = descriptor(EVERYTHING, "test.all.All")
READER = ProtobufReader(ALL, "All")


def read(value: bytes, reader: ProtobufReader = READER) -> Any:
    fields, _ = reader.read(value, 0)
    event, replaced = reader.as_json(fields)
    if replaced is None:
        assert json.loads(event) == fields
    return json.loads(event)


CANONICAL = descriptor(
    "\n".join(line for line in EVERYTHING.splitlines() if " any = " not in line and " mask = " not in line),
    "test.all.All",
)
"""Without the two messages that have another canonical JSON."""


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(messages(CANONICAL))
def test_it_is_the_canonical_json(message: Any) -> None:
    value = read(message.SerializeToString(), ProtobufReader(CANONICAL, "All"))
    canonical = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    _require_alike(value, canonical)
    assert json_format.ParseDict(value, GetMessageClass(CANONICAL)()) == message


def _require_alike(value: Any, canonical: Any) -> None:
    """Compare all but the form of numbers: 64-bit ones are strings in canonical JSON, and floats have fewer digits."""
    if isinstance(canonical, dict):
        assert value.keys() == canonical.keys()
        for name, canonical_part in canonical.items():
            _require_alike(value[name], canonical_part)
    elif isinstance(canonical, list):
        assert len(value) == len(canonical)
        for entry, canonical_part in zip(value, canonical, strict=True):
            _require_alike(entry, canonical_part)
    elif isinstance(canonical, float):
        assert struct.pack("f", value) == struct.pack("f", canonical)
    else:
        assert (str(value) if type(value) is int and isinstance(canonical, str) else value) == canonical


def everything(**fields: Any) -> bytes:
    value: bytes = GetMessageClass(ALL)(**fields).SerializeToString()
    return value


MAPPING: dict[str, tuple[dict[str, Any], Any]] = {
    "i64": ({"i64": -(2**63)}, -(2**63)),
    "u64": ({"u64": 2**64 - 1}, 18446744073709551615),
    "d": ({"d": 0.5}, 0.5),
    "yes": ({"yes": True}, True),
    "raw": ({"raw": b"\x00\xff"}, "AP8="),
    "mood": ({"mood": 1}, "GOOD"),
    "moods": ({"moods": [-2, 9]}, ["BAD", 9]),
    "names": ({"names": {2**62: "a"}}, {"4611686018427387904": "a"}),
    "flags": ({"flags": {True: 0.5}}, {"true": 0.5}),
    "at": ({"at": {"seconds": 1_700_000_000, "nanos": 120_000_000}}, "2023-11-14T22:13:20.120Z"),
    "took": ({"took": {"seconds": 3, "nanos": 4_000_000}}, "3.004s"),
    "free": ({"free": {"a": 5}}, {"a": 5}),
    "wrapped": ({"wrapped": {"value": 2**63 - 1}}, 9223372036854775807),
    "value": ({"value": {"null_value": 0}}, None),
    "list": ({"list": {"values": [{"bool_value": True}, {"string_value": "b"}]}}, [True, "b"]),
    "any": ({"any": {"type_url": "x/y", "value": b"1"}}, {"type_url": "x/y", "value": "MQ=="}),
    "mask": ({"mask": {"paths": ["a.b"]}}, {"paths": ["a.b"]}),
    "b": ({"b": {"text": "t"}}, {"text": "t", "moods": []}),
    "text": ({"text": "here"}, "here"),
}
"""Field -> what it is set to, and what it is in JSON."""


@pytest.mark.parametrize("name", MAPPING)
def test_the_mapping(name: str) -> None:
    fields, expected = MAPPING[name]
    assert read(everything(**fields))[name] == expected


def test_fields_without_presence_are_there_and_others_are_not() -> None:
    empty = read(b"")
    assert empty["i64"] == 0
    assert empty["words"] == []
    assert empty["inners"] == {}
    assert empty["mood"] == "UNKNOWN"
    assert not empty.keys() & {"maybe", "inner", "a", "b", "at", "wrapped", "again"}
    assert [*empty][:3] == ["text", "d", "f"]
    assert read(everything(maybe=0, wrapped={}))["maybe"] == 0


def test_moments_beyond_their_range_are_objects() -> None:
    event = read(everything(at={"seconds": 2**60}, took={"seconds": 1, "nanos": -5}))
    assert event["at"] == {"seconds": 2**60, "nanos": 0}
    assert event["took"] == {"seconds": 1, "nanos": -5}


def test_what_json_cannot_represent_is_null() -> None:
    fields, _ = READER.read(
        everything(d=float("nan"), flags={True: float("inf")}, free={"n": float("inf")}),
        0,
    )
    event, replaced = READER.as_json(fields)
    assert replaced is not None
    assert sorted(replaced.paths) == ["$.d", "$.flags.true", "$.free.n"]
    assert json.loads(event)["d"] is None


def test_unknown_fields_are_counted_at_any_depth() -> None:
    newer = descriptor(EVERYTHING.replace("string text = 1;", "string text = 1; string more = 1000;"), "test.all.All")
    value = GetMessageClass(newer)(text="a", more="bcd", inner={"more": "e", "deep": {"more": "f"}}).SerializeToString()
    fields, unknown = READER.read(value, 0)
    assert fields["inner"] == {"text": "", "deep": {"text": ""}, "moods": []}
    assert unknown == 6 + 4 + 4 + 2 * 0
    assert READER.read(everything(text="a"), 0)[1] == 0


PROTO2 = """
message Old {
  required string text = 1;
  optional int32 n = 2 [default = 7];
  repeated group Part = 3 { optional string t = 1; }
  optional Kind kind = 4;
  enum Kind { option allow_alias = true; A = 1; B = 0x2; C = 010; D = 8; }
  extensions 100 to 199;
}
extend Old { optional string more = 100; }
"""


def test_the_second_version_of_the_language() -> None:
    old = descriptor(PROTO2, "Old")
    value = GetMessageClass(old)(text="a", part=[{"t": "b"}], kind=8).SerializeToString()
    reader = ProtobufReader(old, "Old")
    assert read(value, reader) == {"part": [{"t": "b"}], "text": "a", "kind": "C"}
    assert reader.read(b"\x0a\x01a\x20\x05\xa2\x06\x01x", 0) == ({"part": [], "text": "a"}, 6)
    with pytest.raises(DecodeError, match="the value cannot be written as JSON"):  # not checked by the parser
        read(b"\x0a\x01\xff", reader)


def test_editions() -> None:
    text = """edition = "2023"; option features.field_presence = IMPLICIT;
    message E { string text = 1; string other = 2 [features.field_presence = EXPLICIT];
                E part = 3 [features.message_encoding = DELIMITED]; }"""
    message = descriptor(text, "E")
    value = GetMessageClass(message)(part={"text": "t"}).SerializeToString()
    assert value == b"\x1b\x0a\x01t\x1c"
    assert read(value, ProtobufReader(message, "E")) == {"text": "", "part": {"text": "t"}}


DEEP = 'syntax = "proto3"; message N { N next = 1; repeated N all = 2; map<string, N> by = 3; string text = 4; }'


def _deep(levels: int, *tags: int) -> bytes:
    value = b""
    for level in range(levels):
        size = len(value)
        value = bytes((tags[level % len(tags)], size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14)) + value
    return value


@pytest.mark.parametrize("tags", [(0x0A,), (0x12,), (0x12, 0x1A)], ids=["message", "list", "map"])
def test_deep_messages_are_refused(tags: tuple[int, ...]) -> None:
    reader = ProtobufReader(descriptor(DEEP, "N"), "N")
    assert json.dumps(read(_deep(98, *tags), reader)).count("{") > 90
    for levels in (102, 2000):
        with pytest.raises(DecodeError, match="is not Protobuf of N"):
            reader.read(_deep(levels, *tags), 0)
    with pytest.raises(DecodeError, match="is not Protobuf of N"):
        reader.read(b"\x0b" * 1_000_000, 0)


def test_values_that_would_need_much_memory_are_refused_before_it_is_used() -> None:
    reader = ProtobufReader(descriptor(DEEP, "N"), "N")
    read(b"\x12\x00" * 1000, reader)
    for value in (b"\x12\x00" * 4_000_000, b"\x12\x80\x80\x10" + b"\x12\x00" * 500_000):
        with pytest.raises(DecodeError, match="have more than 1000000 fields together"):
            reader.read(value, 0)
    packed = b"\xa2\x01\x80\x80\x80\x01" + b"\x01" * (2 << 20)
    with pytest.raises(DecodeError, match="has an enum more than 1000000 times"):
        READER.read(packed[:2] + b"\x80\x80\x80\x01" + packed[6:], 0)


@pytest.mark.parametrize("value", [b"\xff", b"\x0a", b"\x0a\x05ab", b"\x0a\x02\xff\xff", b"\x00\x00", b"\x0c"])
def test_what_is_not_a_message_is_a_reason(value: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^the value is not Protobuf of All$"):
        READER.read(value, 0)


@settings(max_examples=examples(200))
@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_reason(value: bytes) -> None:
    try:
        read(value)
    except DecodeError as error:
        assert str(error).startswith("the value is not Protobuf of All")


def test_a_pool_belongs_to_one_schema() -> None:
    first = ProtobufSchema.parse("message A { optional string t = 1; }").named("A")
    second = ProtobufSchema.parse("message A { optional int32 t = 1; }").named("A")
    assert read(b"\x0a\x01x", ProtobufReader(first, "A")) == {"t": "x"}
    assert read(b"\x08\x05", ProtobufReader(second, "A")) == {"t": 5}


@pytest.mark.parametrize(
    ("definition", "tag"),
    [
        (f"repeated E many = 1; }} enum E {{ {'N' * 20_000} = 0;", None),
        (f"repeated S many = 1; }} message S {{ int32 {'f' * 20_000} = 1;", 2),
    ],
)
def test_long_names_are_not_repeated_without_end(definition: str, tag: int | None) -> None:
    """JSON has the name each time, and the value only a byte or two."""
    schema = ProtobufSchema.parse(f'syntax = "proto3"; message R {{ {definition} }}')
    reader = ProtobufReader(schema.at((0,)), "R")
    few = b"\x0a\x03\0\0\0" if tag is None else b"\x0a\0" * 3
    assert len(reader.as_json(reader.read(few, 0)[0])[0]) > 60_000
    many = b"\x0a\xa0\x8d\x06" + bytes(100_000) if tag is None else b"\x0a\0" * 100_000
    with pytest.raises(DecodeError, match="more than"):
        reader.read(many, 0)


def test_imports_in_a_long_chain_are_a_reason() -> None:
    files = [(f"f{n}.proto", f'import "f{n + 1}.proto";') for n in range(1000)]
    with pytest.raises(UnusableSchemaError, match="imports that are nested too deep"):
        ProtobufSchema.parse('import "f0.proto";', files)


def test_a_file_may_begin_with_any_number_of_blanks() -> None:
    """A pattern that backtracked would take days."""
    schema = ProtobufSchema.parse(" " * 1_000_000 + 'syntax = "proto3"; message R { string text = 1; }')
    assert schema.at((0,)).full_name == "R"


def _encoded(file: FileDescriptorProto) -> str:
    """Return a descriptor as some clients register it."""
    return b64encode(file.SerializePartialToString()).decode()


@pytest.mark.parametrize(
    "change",
    [{"number": 9}, {"name": "kex"}, {"label": FieldDescriptorProto.LABEL_REPEATED}],
    ids=lambda change: next(iter(change)),
)
def test_a_map_that_no_compiler_makes_is_a_reason(change: dict[str, Any]) -> None:
    """The library takes it, and ends the process when a message is read."""
    file = parse_proto("message R { map<string, string> names = 1; }", "r.proto")
    key = file.message_type[0].nested_type[0].field[0]
    assert ProtobufSchema.parse(_encoded(file)).at((0,)).full_name == "R"
    for name, value in change.items():
        setattr(key, name, value)
    with pytest.raises(UnusableSchemaError, match="has a map without a key and a value"):
        ProtobufSchema.parse(_encoded(file))


def test_options_of_a_descriptor_may_be_incomplete_and_its_names_may_not() -> None:
    file = parse_proto("message R { optional string text = 1; }", "r.proto")
    file.options.uninterpreted_option.add().name.add()
    assert ProtobufSchema.parse(_encoded(file)).at((0,)).full_name == "R"
    file.dependency.append("xyz.proto")
    data = file.SerializePartialToString().replace(b"xyz", b"\xff\xfe\xfd")
    with pytest.raises(UnusableSchemaError, match="has names that cannot be used"):
        ProtobufSchema.parse(b64encode(data).decode())
