"""Protobuf for tests: a schema with everything in it, and random messages of any type."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from stream.codecs.protobuf_schema import ProtobufSchema, is_map

POST = 'syntax = "proto3"; package shop; message Post { int64 id = 1; string text = 2; }'

EVERYTHING = """
syntax = "proto3";
package test.all;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/any.proto";
import "google/protobuf/field_mask.proto";
import "acme/options.proto";  // not registered: it is only for options

/* Everything that a schema
   may have; "even this". */
message All {
  option (acme.owner) = { team: "x" nested { a: 1 } };
  string text = 1;
  double d = 2; float f = 3;
  int32 i32 = 4; int64 i64 = 5; uint32 u32 = 6; uint64 u64 = 7; sint32 s32 = 8; sint64 s64 = 9;
  fixed32 x32 = 10; fixed64 x64 = 11; sfixed32 y32 = 12; sfixed64 y64 = 13;
  bool yes = 14; bytes raw = 15;
  Mood mood = 16 [deprecated = true, (acme.rule) = "a;b"];
  optional int32 maybe = 17;
  repeated int64 numbers = 18 [packed = false];
  repeated string words = 19;
  repeated Mood moods = 20;
  map<string, Inner> inners = 21;
  map<int64, string> names = 22;
  map<bool, double> flags = 23;
  Inner inner = 24;
  repeated Inner many = 25;
  oneof choice { string a = 26; Inner b = 27; .test.all.All.Inner.Deep c = 28; }
  google.protobuf.Timestamp at = 29;
  google.protobuf.Duration took = 30;
  google.protobuf.Struct free = 31;
  google.protobuf.Value value = 32;
  google.protobuf.ListValue list = 33;
  google.protobuf.Int64Value wrapped = 34;
  google.protobuf.StringValue wrapped_text = 35;
  google.protobuf.BytesValue wrapped_raw = 36;
  google.protobuf.FloatValue wrapped_float = 37;
  google.protobuf.Any any = 38;
  google.protobuf.FieldMask mask = 39;
  All again = 40;
  repeated google.protobuf.Timestamp times = 41;
  map<string, google.protobuf.Value> values = 42;
  repeated bytes raws = 43;
  google.protobuf.NullValue nothing = 44;
  reserved 50 to 60, 100 to max;
  reserved "old";
  enum Mood { option (acme.set) = true; UNKNOWN = 0; GOOD = 1; BAD = -2; reserved 7; }
  message Inner {
    message Deep { string text = 1; }
    string text = 1;
    Deep deep = 2;
    repeated Mood moods = 3;
  }
}
message Other { int32 n = 1; }
service Posts { rpc Get(Other) returns (stream All) { option (acme.http) = { get: "/x" }; } }
"""


def descriptor(text: str, name: str) -> Any:
    message = ProtobufSchema.parse(text).named(name)
    assert message is not None
    return message


def written(proto: str, name: str, /, **fields: Any) -> bytes:
    """Return a message of the type ``name`` in the .proto file ``proto``."""
    return GetMessageClass(descriptor(proto, name))(**fields).SerializeToString(deterministic=True)


_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}
_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_FIELDS: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("google.protobuf.Timestamp", "seconds"): st.integers(-62_135_596_800, 253_402_300_799),
    ("google.protobuf.Timestamp", "nanos"): st.integers(0, 999_999_999),
    ("google.protobuf.Duration", "seconds"): st.integers(1, 315_576_000_000),
    ("google.protobuf.Duration", "nanos"): st.integers(0, 999_999_999),
}
"""What values are limited to so that the canonical JSON can represent them."""


@st.composite
def messages(draw: st.DrawFn, message: Any, depth: int = 2) -> Any:
    """A random message, given its descriptor; ``depth``: levels of messages within it."""
    made = GetMessageClass(message)()
    if message.full_name == "google.protobuf.Value":  # one that holds nothing has no canonical JSON
        made.string_value = draw(_TEXT)
    for field in message.fields:
        if draw(st.integers(0, 3)) or (field.message_type is not None and depth == 0):
            continue
        if is_map(field):
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            for name in draw(st.lists(_scalar(key), max_size=2)):
                if value.message_type is None:
                    getattr(made, field.name)[name] = draw(_scalar(value))
                else:
                    getattr(made, field.name)[name].CopyFrom(draw(messages(value.message_type, depth - 1)))
        elif field.message_type is not None:
            for _ in range(draw(st.integers(0, 2)) if field.is_repeated else 1):
                inner = draw(messages(field.message_type, depth - 1))
                getattr(made, field.name).append(inner) if field.is_repeated else getattr(made, field.name).CopyFrom(
                    inner
                )
        elif field.is_repeated:
            getattr(made, field.name).extend(draw(st.lists(_scalar(field), max_size=3)))
        else:
            setattr(made, field.name, draw(_scalar(field)))
    return made


def _scalar(field: Any) -> st.SearchStrategy[Any]:
    limited = _FIELDS.get((field.containing_type.full_name, field.name))
    if limited is not None:
        return limited
    if field.enum_type is not None:
        return st.sampled_from(sorted(field.enum_type.values_by_number))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=4)
    return _INTEGERS.get(field.cpp_type, _TEXT if field.type == FieldDescriptor.TYPE_STRING else _FLOATS)
