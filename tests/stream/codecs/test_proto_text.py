"""The text of .proto files becomes the descriptors that protoc makes of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import google.api
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codecs.proto_text import parse_proto
from stream.codecs.proto_tokens import ProtoSyntaxError
from stream.codecs.protobuf_schema import ProtobufSchema
from tests.protobuf import EVERYTHING
from tests.thoroughness import examples

SITE = Path(google.api.__path__[0]).parents[1]
FILES = sorted(str(path.relative_to(SITE)) for path in (SITE / "google").rglob("*.proto"))
"""The .proto files of googleapis-common-protos, which also has what protoc has made of them."""


@pytest.mark.parametrize("name", [name for name in FILES if "operations_proto" not in name])
def test_descriptors_are_those_of_protoc(name: str) -> None:
    compiled = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2").DESCRIPTOR
    parsed = parse_proto((SITE / name).read_text(), name)
    schema = ProtobufSchema([*_imports(compiled), parsed], name)
    resolved, from_protoc = FileDescriptorProto(), FileDescriptorProto()
    schema.file.CopyToProto(resolved)  # the pool has resolved names of types
    compiled.CopyToProto(from_protoc)
    assert _essence(resolved) == _essence(from_protoc)


def test_there_are_files_to_compare() -> None:
    assert len(FILES) > 50


def _imports(file: Any) -> list[FileDescriptorProto]:
    made = []
    for below in file.dependencies:
        made += _imports(below)
        made.append(FileDescriptorProto.FromString(below.serialized_pb))
    return made


def _essence(file: FileDescriptorProto) -> str:
    """Leave out what does not decide how values are encoded."""
    for name in ("options", "service", "extension", "public_dependency", "dependency"):
        file.ClearField(name)
    parts: list[Any] = [*file.message_type, *file.enum_type]
    while parts:
        part = parts.pop()
        for name in ("extension", "extension_range", "reserved_range", "reserved_name", "json_name", "default_value"):
            if name in part.DESCRIPTOR.fields_by_name:
                part.ClearField(name)
        if "options" in part.DESCRIPTOR.fields_by_name and not getattr(part.options, "map_entry", False):
            part.ClearField("options")
        for name in ("field", "nested_type", "enum_type", "oneof_decl", "value"):
            if name in part.DESCRIPTOR.fields_by_name:
                parts += getattr(part, name)
    return str(file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is wrong in line 1"),
        ("message M {\n  string text = 1\n}", "it is wrong in line 3"),
        ("message M {\n  string text = one;\n}", "it is wrong in line 2"),
        ("message M { string text = 1;", "it ends too early"),
        ("message M { oneof x { string text = 1;", "it ends too early"),
        ("enum E { A = 0", "it ends too early"),
        ("import secret;", "it is wrong in line 1"),
        ("/* no end", "line 1 has a character that none has there"),
        ("message M {\n\n  string § = 1; }", "line 3 has a character"),
        ('edition = "1999";', "has an edition that is not supported"),
        ("message M {" * 100_000, "nested more than 30 levels deep"),
        ("service S {" * 100_000, "it ends too early"),
        ("option x = " + "[" * 100_000, "it ends too early"),
        ("//" * 6_000_000, "more than 10000000 characters"),
        ("\0", "line 1 has a character"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(text: str, reason: str) -> None:
    with pytest.raises(ProtoSyntaxError) as error:
        parse_proto(text, "p")
    assert reason in str(error.value)
    assert "secret" not in str(error.value)


@settings(max_examples=examples(300))
@given(st.data())
def test_any_text_is_a_file_or_a_reason(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(EVERYTHING)))
    piece = data.draw(
        st.sampled_from(["", "{", "}", ";", '"', "map<", "oneof x {", "9e", "/*", "message M {", ".", "\n"])
    )
    text = EVERYTHING[:at] + piece + EVERYTHING[at + data.draw(st.integers(0, 9)) :]
    try:
        parse_proto(text, "p")
    except ProtoSyntaxError as error:
        assert str(error).startswith(("is not a .proto file", "has messages"))
