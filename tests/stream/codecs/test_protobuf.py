"""Protobuf is read with schemas of a registry or a descriptor set; whatever is wrong is a failed document."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka.schema_registry.common.serde import SchemaId
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from schemas.document import Document
from schemas.errors import SettingError
from schemas.pipeline.config import Input
from stream.codecs.base import Codec
from stream.codecs.formats import codec
from stream.codecs.proto_text import parse_proto
from stream.codecs.protobuf import doubtful_paths
from stream.codecs.protobuf_schema import ProtobufSchema, has_place, may_be_string
from tests.protobuf import EVERYTHING, POST, written
from tests.registry import PROTOBUF, FakeRegistry, fake_registry
from tests.stream.codecs.registered import codec_of, decoded

INNER = """syntax = "proto3"; package a;
message First { int32 n = 1; message Inner { int32 n = 1; message Post { string text = 1; } } }
message Post { string text = 1; }"""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


_codec = partial(codec_of, form="protobuf")


def _reason(document: Document) -> str:
    assert document.failure is not None
    return document.failure.message


def framed(number: int, payload: bytes, indexes: list[int] | None = None) -> bytes:
    """Return ``payload`` as Confluent's own serializer frames it."""
    name: bytes = SchemaId("PROTOBUF", number, None, indexes or [0]).id_to_bytes()
    return name + payload


def test_a_value_names_its_schema_and_its_message(registry: FakeRegistry) -> None:
    number = registry.add("posts-value", POST, PROTOBUF)
    document = decoded(_codec(registry, keep=True), framed(number, written(POST, "shop.Post", id=2**62, text="here")))
    assert document.text == "here"
    assert document.event == b'{"id":4611686018427387904,"text":"here"}'
    assert document.fields == {"id": 2**62, "text": "here"}
    assert document.notices == []
    nested = registry.add("nested-value", INNER, PROTOBUF)
    value = b"\x0a\x04here"
    for indexes in ([1], [0, 0, 0]):
        assert decoded(_codec(registry), framed(nested, value, indexes)).text == "here"


@pytest.mark.parametrize("indexes", [[0], [1], [0, 0, 0]])
def test_a_header_names_them(registry: FakeRegistry, indexes: list[int]) -> None:
    number = registry.add("p", INNER.replace("int32 n", "string text"), PROTOBUF)
    guid = SchemaId("PROTOBUF", None, str(UUID(registry.guid(number))), indexes).guid_to_bytes()
    value = b"\x0a\x04here"
    for name in (guid, SchemaId("PROTOBUF", number, None, indexes).id_to_bytes()):
        assert decoded(_codec(registry), value, [("__value_schema_id", name)]).text == "here"
    assert decoded(_codec(registry), value, [("__value_schema_id", b"\0" + number.to_bytes(4))]).text == "here"
    assert _reason(decoded(_codec(registry), value, [("__value_schema_id", b"\0\0")])).endswith(
        "holds no id of a schema"
    )


def test_unknown_fields_are_noticed(registry: FakeRegistry) -> None:
    number = registry.add("posts-value", POST, PROTOBUF)
    document = decoded(_codec(registry), framed(number, b"\x12\x04here\x50\x01"))
    assert document.notices == [{"kind": "unknown", "bytes": 2}]


def test_texts_in_nested_fields_and_maps(registry: FakeRegistry) -> None:
    number = registry.add("p", EVERYTHING, PROTOBUF)
    value = written(
        EVERYTHING, "test.all.All", inner={"deep": {"text": "one"}}, words=["two", "three"],
        inners={"k": {"text": "four"}}, free={"any": ["five"]}, wrapped_text={"value": "six"}, at={"seconds": 0},
    )  # fmt: skip
    paths = ["$.inner.deep.text", "$.words[*]", "$.inners[*].text", "$.free.any[0]", "$.wrapped_text", "$.at"]
    document = decoded(_codec(registry, text=paths), framed(number, value))
    assert document.text == "one\n\ntwo\n\nthree\n\nfour\n\nfive\n\nsix\n\n1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("$.text", True), ("$.words[3]", True), ("$.words.x", False), ("$.inners.k.text", True),
        ("$.inners[0]", False), ("$.many[*].deep.text", True), ("$.many.text", False), ("$.inner.nothing", False),
        ("$.text.more", False), ("$.wrapped_text", True), ("$.wrapped_text.value", False), ("$.at", True),
        ("$.at.seconds", False), ("$.value.what.ever[3]", True), ("$.values.k.x", True), ("$.again.again.a", True),
        ("$.any.type_url", True), ("$.c.text", True), ("$[*]", True), ("$.inner[*][*]", True), ("$.list[0].a", True),
    ],
)  # fmt: skip
def test_which_paths_a_schema_has(registry: FakeRegistry, path: str, there: bool) -> None:
    number = registry.add("p", EVERYTHING, PROTOBUF)
    reason = _reason(decoded(_codec(registry, text=path), framed(number, b"")))
    lacks = f"there is no text: test.all.All of schema {number} of subject p has no field at {path}"
    assert (reason == lacks) is not there


def test_references_and_what_libraries_have(registry: FakeRegistry) -> None:
    registry.add("a", 'syntax = "proto3"; package x; message A { string text = 1; }', PROTOBUF)
    a = {"name": "x/a.proto", "subject": "a", "version": 1}
    b_text = 'syntax = "proto3"; import public "x/a.proto"; package x; message B { A a = 1; }'
    encoded = base64.b64encode(parse_proto(b_text, "default").SerializeToString()).decode()
    registry.add("b", encoded, PROTOBUF, references=[a])
    b = {"name": "x/b.proto", "subject": "b", "version": 1}
    text = """syntax = "proto3"; import "x/b.proto"; import "google/type/money.proto"; import "confluent/meta.proto";
    package y; message C { x.B b = 1; .x.A a = 2; google.type.Money price = 3; }"""
    number = registry.add("c", text, PROTOBUF, references=[b])
    value = b"\x0a\x05\x0a\x03\x0a\x01t\x1a\x05\x0a\x03EUR"
    document = decoded(_codec(registry, text="$.b.a.text"), framed(number, value))
    assert document.event == b'{"b":{"a":{"text":"t"}},"price":{"currency_code":"EUR","units":0,"nanos":0}}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the value is null (a tombstone)"),
        (b"\x12\x01x", "the value is not framed for a Schema Registry"),
        (framed(99, b""), "the Schema Registry has no schema 99"),
        (framed(1, b"\x12\x05s3cret"), "the value is not Protobuf of shop.Post of schema 1"),
        (framed(1, b"\x12\x02\xff\xff"), "the value is not Protobuf of shop.Post of schema 1"),
        (framed(1, b""), "the text is empty"),
        (framed(1, b"", [1]), "schema 1 has no message with the indexes of the value"),
        (framed(1, b"", [0, 0]), "schema 1 has no message with the indexes of the value"),
        (framed(1, b"", [-1]), "schema 1 has no message with the indexes of the value"),
        (b"\0\0\0\0\x01", "the value ends before it names its message"),
        (b"\0\0\0\0\x01\x02", "the value ends before it names its message"),
        (b"\0\0\0\0\x01\x01\x02", "the value does not name its message"),
        (b"\0\0\0\0\x01" + b"\xff" * 20, "the value does not name its message"),
        (b"\0\0\0\0\x01\xfe\xff\xff\x7f" + b"\x02" * 1000, "the value"),
        (
            framed(2, b"\x08\x02"),
            "there is no text: a.First of schema 2 of subject nested-value has no field at $.text",
        ),
        (framed(3, b"{}"), "schema 3 is of type JSON: set input.format: json_schema"),
        (framed(4, b""), "schema 4 of subject broken-value is not a .proto file: it is wrong in line 1"),
        (framed(5, b""), "schema 5 of subject missing-value has types that are missing or do not fit"),
        (framed(6, b""), "schema 6 of subject encoded-value is not a .proto file"),
    ],
)
def test_a_bad_value_is_a_failure_in_its_place(registry: FakeRegistry, value: bytes | None, reason: str) -> None:
    registry.add("posts-value", POST, PROTOBUF)
    registry.add("nested-value", INNER, PROTOBUF)
    registry.add("json-value", {"type": "object"}, "JSON")
    registry.add("broken-value", "massage M {}", PROTOBUF)
    registry.add("missing-value", "message M { optional Secret text = 1; }", PROTOBUF)
    registry.add("encoded-value", "AAAA", PROTOBUF)
    decoder = _codec(registry)
    for _ in range(2):
        document = decoded(decoder, value)
        assert _reason(document).startswith(reason)
        assert "DecodeError" not in _reason(document), "the dead letter has it besides"


def test_schemas_are_asked_for_once(registry: FakeRegistry) -> None:
    decoder = _codec(registry)
    number = registry.add("posts-value", POST, PROTOBUF)
    for value in (b"\x12\x01a", b"\x12\x01b"):
        decoded(decoder, framed(number, value))
    assert registry.requests == [f"GET /schemas/ids/{number}"]


def test_json_that_is_too_large_is_refused(registry: FakeRegistry) -> None:
    number = registry.add("p", EVERYTHING, PROTOBUF)
    value = written(EVERYTHING, "test.all.All", text="here", many=[{}] * 100)
    reason = _reason(decoded(_codec(registry, max_bytes=2000), framed(number, value)))
    assert reason.startswith("as JSON the value has ")


def _chain(length: int) -> str:
    """Return a file whose message contains another one, which contains another one, and so on."""
    links = "".join(f"message M{n} {{ M{n + 1} next = 1; string text = 2; }}" for n in range(length))
    return f'syntax = "proto3"; {links} message M{length} {{ string text = 1; }}'


@pytest.mark.parametrize("length", [300, 3000])
def test_types_may_contain_each_other_in_a_chain_of_any_length(registry: FakeRegistry, length: int) -> None:
    number = registry.add("chain", _chain(length), PROTOBUF)
    value = b"\x12\x04here"
    for _ in range(90):
        value = b"\x0a" + _varint(len(value)) + value + b"\x12\x04here"
    document = decoded(_codec(registry), framed(number, value))
    assert document.text == "here"
    assert document.event is not None and document.event.count(b"here") == 91


def _varint(number: int) -> bytes:
    return bytes((number,)) if number < 128 else bytes((number & 127 | 128,)) + _varint(number >> 7)


@pytest.mark.parametrize("indexes", [[2], [0, 1], [1, 0], [0, 0, 0, 0], [0, 2**62]])
def test_indexes_without_a_message_are_a_reason(registry: FakeRegistry, indexes: list[int]) -> None:
    number = registry.add("inner", INNER, PROTOBUF)
    reason = _reason(decoded(_codec(registry), framed(number, b"\x0a\x04here", indexes)))
    assert reason == f"schema {number} has no message with the indexes of the value"


def _descriptors(path: Path, *files: tuple[str, str]) -> str:
    made = FileDescriptorSet(file=[parse_proto(text, name) for name, text in files])
    path.write_bytes(made.SerializeToString())
    return str(path)


def _described(path: str, message: str = "shop.Post", **fields: Any) -> Codec:
    given = {"topics": ["posts"], "format": "protobuf", "descriptor_set": path, "message": message, **fields}
    return codec(Input.model_validate(given), True, encoded=True)


def test_a_descriptor_set_needs_no_registry(tmp_path: Path) -> None:
    user = 'syntax = "proto3"; import "post.proto"; package shop; message User { repeated Post posts = 1; }'
    path = _descriptors(tmp_path / "posts.desc", ("user.proto", user), ("post.proto", POST))
    post = b"\x08\x05\x12\x04here"
    for value in (post, framed(99, post), framed(99, post, [1, 2])):
        document = decoded(_described(path), value)
        assert document.fields == {"id": 5, "text": "here"}
    document = decoded(_described(path, "shop.User", text="$.posts[*].text"), b"\x0a\x03\x12\x01a\x0a\x03\x12\x01b")
    assert document.text == "a\n\nb"
    assert _reason(decoded(_described(path), b"")) == "the text is empty"
    wrapper = _described(path, "google.protobuf.StringValue", text="$..*")
    assert _reason(decoded(wrapper, b"\x0a\x01x")) == "the value becomes a string, not a JSON object"
    assert _reason(decoded(_described(path), b"\0\0")).startswith("the value is not Protobuf of shop.Post")
    assert _reason(decoded(_described(path), b"\0\0\0\0\0\x04")) == "the value ends before it names its message"


def test_events_that_a_person_has_written_are_json(tmp_path: Path) -> None:
    config = Input(topics=["posts"], format="protobuf", descriptor_set=str(tmp_path / "none"), message="a.B")
    assert decoded(codec(config), b'{"text": "here"}').text == "here"


@pytest.mark.parametrize(
    ("content", "fields", "reason"),
    [
        pytest.param(None, {}, "the file of input.descriptor_set cannot be read: no such file", id="absent"),
        pytest.param(b"\xff\xff", {}, "the file of input.descriptor_set is not what protoc ", id="garbage"),
        pytest.param(b"", {}, "has no message shop.Post, and no other$", id="empty"),
        pytest.param("set", {"message": "a.B"}, "the file of input.descriptor_set has no message a.B$", id="other"),
        pytest.param("set", {"message": "Post"}, 'has no message Post, did you mean "shop.Post"[?]$', id="suggested"),
        pytest.param("set", {"text": "$.body"}, r"there is no text: shop.Post has no field at \$.body$", id="no-text"),
        pytest.param("set", {"text": "$.txt"}, r'has no field at \$.txt, did you mean "\$.text"[?]$', id="path"),
        pytest.param("wrong", {}, "has types that are missing or do not fit .*Error[)]$", id="types"),
        pytest.param("alone", {}, "; protoc adds imported files only with --include_imports$", id="imports"),
    ],
)
def test_a_descriptor_set_that_cannot_be_used_is_a_mistake(
    tmp_path: Path, content: bytes | str | None, fields: dict[str, str], reason: str
) -> None:
    path = tmp_path / "posts.desc"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        alone = 'syntax = "proto3"; import "post.proto"; package shop; message User { Post post = 1; }'
        texts = {"set": POST, "wrong": POST.replace("int64", "Missing"), "alone": alone}
        _descriptors(path, ("p", texts[content]))
    with pytest.raises(SettingError, match=reason):
        _described(str(path), **fields)


def test_paths_of_a_descriptor_set_are_suggested(tmp_path: Path) -> None:
    text = """syntax = "proto3"; package shop;
    message Post { Post reply = 1; repeated Body bodies = 2; map<string, Body> more = 3;
      message Body { string title = 1; int64 size = 2; repeated string lines = 3; } }"""
    path = _descriptors(tmp_path / "posts.desc", ("p", text))
    given = {"topics": ["p"], "format": "protobuf", "descriptor_set": path, "message": "shop.Post"}
    paths = ["$.bodies[*].title", "$.bodies[*].titel", "$.reply.reply.bodies[*].line[*]", "$.more.any.title", "$.zzz"]
    assert doubtful_paths(Input.model_validate({**given, "text": paths})) == [
        (1, 'shop.Post has no such field, did you mean "$.bodies[*].title"?'),
        (2, 'shop.Post has no such field, did you mean "$.reply.reply.bodies[*].lines[*]"?'),
        (4, "shop.Post has no such field"),
    ]
    schema = ProtobufSchema.load(Path(path).read_bytes())
    assert schema.names == ["shop.Post", "shop.Post.Body"]


def test_a_missing_library_is_a_mistake(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.registry.client.find_spec", lambda name: None)
    for make in (lambda: _codec(registry), lambda: _described("any")):
        with pytest.raises(SettingError, match=r"protobuf is not installed.*glossator\[protobuf\]"):
            make()


def test_a_field_that_is_not_a_string_is_doubtful() -> None:
    schema = ProtobufSchema.parse("""syntax = "proto3"; import "google/protobuf/struct.proto";
    import "google/protobuf/timestamp.proto";
    message M { string s = 1; uint64 n = 2; repeated string r = 3; map<string, string> m = 4; M below = 5;
      google.protobuf.Value v = 6; google.protobuf.Timestamp t = 7; enum E { A = 0; } E e = 8; bool b = 9; }""")
    message = schema.named("M")
    strings = ["$.s", "$.r[0]", "$.r[*]", "$.m.any", "$.m[*]", "$.below.s", "$.v", "$.v.any", "$.t", "$.e", "$..*"]
    others = ["$.n", "$.r", "$.m", "$.below", "$.below.n", "$.b"]
    assert [path for path in strings if not may_be_string(message, path)] == []
    assert [path for path in others if not has_place(message, path) or may_be_string(message, path)] == []
