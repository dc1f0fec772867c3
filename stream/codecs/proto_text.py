"""Reads the text of a .proto file into a descriptor, as ``protoc`` does.

Only what decides how values are encoded is kept: messages, enums, fields, and the few options that matter. Services,
extensions, reserved names and other options are passed over. Names of types stay as they are written, because the
descriptor pool resolves them, and reports those that do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

_TOKEN = re.compile(
    r"""
    (?P<space>\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)
  | (?P<word>[A-Za-z_]\w*+)
  | (?P<number>\d(?:[eE][+-]|[\w.])*+)
  | (?P<string>"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+')
  | (?P<mark>[;{}=<>,.()\[\]:+/-])
    """,
    re.VERBOSE | re.ASCII,
)
_SCALARS = {
    name.removeprefix("TYPE_").lower(): number
    for name, number in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM")
}
_LABELS = {"optional": 1, "required": 2, "repeated": 3}
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}
_DEEPEST = 30
"""Levels of messages within messages."""
_LARGEST = 10_000_000
"""Characters of a file."""


class ProtoSyntaxError(ValueError):
    """The text is not a .proto file. The message names the line and quotes nothing."""


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def parse_proto(text: str, name: str) -> FileDescriptorProto:
    """Return the descriptor of the .proto file ``text``, under ``name``. Raises ProtoSyntaxError."""
    if len(text) > _LARGEST:
        raise ProtoSyntaxError(f"is a .proto file of more than {_LARGEST} characters")
    return _Parser(text).file(name)


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ProtoSyntaxError(f"is not a .proto file: line {line} has a character that none has there")
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
        at = match.end()
    yield _Token("end", "", line)


class _Parser:
    """Reads one file, token by token; each method reads what it is named after."""

    def __init__(self, text: str) -> None:
        self._rest = _tokens(text)  # never all at once: a token takes a hundred times the memory of its text
        self._ahead = next(self._rest)
        self._proto3 = False

    def file(self, name: str) -> FileDescriptorProto:
        file = FileDescriptorProto(name=name)
        while (token := self._next()).kind != "end":
            match token.text:
                case "syntax":
                    self._take("=")
                    file.syntax = self._string()
                    self._proto3 = file.syntax == "proto3"
                    self._take(";")
                case "edition":
                    self._take("=")
                    file.syntax, file.edition = "editions", self._edition()
                    self._take(";")
                case "import":
                    while self._peek().kind == "word":  # public, weak or option
                        self._next()
                    file.dependency.append(self._string())
                    self._take(";")
                case "package":
                    file.package = self._name()
                    self._take(";")
                case "option":
                    self._option(file.options, ";")
                    self._take(";")
                case "message":
                    self._message(file.message_type.add(), 0)
                case "enum":
                    self._enum(file.enum_type.add())
                case "extend" | "service":
                    self._skip_block()
                case "export" | "local" | ";":
                    pass
                case _:
                    raise self._unexpected(token)
        return file

    def _message(self, message: DescriptorProto, depth: int) -> None:
        message.name = self._word()
        self._body(message, depth)

    def _body(self, message: DescriptorProto, depth: int) -> None:
        if depth > _DEEPEST:
            raise ProtoSyntaxError(f"has messages that are nested more than {_DEEPEST} levels deep")
        self._take("{")
        while (token := self._next()).text != "}":
            following = self._peek()
            match token.text:
                case "message" if following.kind == "word":
                    self._message(message.nested_type.add(), depth + 1)
                case "enum" if following.kind == "word":
                    self._enum(message.enum_type.add())
                case "oneof" if following.kind == "word":
                    self._oneof(message, depth)
                case "extend":
                    self._skip_block()
                case "option":
                    self._option(message.options, ";")
                    self._take(";")
                case "reserved" | "extensions":
                    self._skip(";")
                    self._take(";")
                case ";" | "export" | "local":
                    pass
                case _:
                    self._field(token, message, depth)
        taken = {part.name for part in (*message.field, *message.oneof_decl)}
        for field in message.field:
            if field.proto3_optional:  # these oneofs come last, under names that are free
                field.oneof_index = len(message.oneof_decl)
                name = f"_{field.name}"
                while name in taken:
                    name = f"X{name}"
                taken.add(name)
                message.oneof_decl.add(name=name)

    def _oneof(self, message: DescriptorProto, depth: int) -> None:
        index = len(message.oneof_decl)
        message.oneof_decl.add(name=self._word())
        self._take("{")
        while (token := self._next()).text != "}":
            if token.text == "option":
                self._skip(";")
                self._take(";")
            elif token.text != ";":
                self._field(token, message, depth).oneof_index = index

    def _field(self, token: _Token, message: DescriptorProto, depth: int) -> FieldDescriptorProto:
        """Read the rest of a field that begins with ``token``."""
        field = message.field.add(label=1)
        if token.text in _LABELS:
            field.label = _LABELS[token.text]
            if self._proto3 and token.text == "optional":
                field.proto3_optional = True
            token = self._next()
        if token.text == "map" and self._peek().text == "<":
            self._map(field, message)
        elif token.text == "group":
            field.type, field.type_name = FieldDescriptorProto.TYPE_GROUP, self._word()
            field.name = field.type_name.lower()
        else:
            self._type(token, field)
            field.name = self._word()
        field.json_name = field.name  # so that two names never become the same one
        self._take("=")
        field.number = self._integer()
        if self._peek().text == "[":
            self._next()
            while True:
                self._option(field.options, ",]")
                if self._next().text == "]":
                    break
        if field.type == FieldDescriptorProto.TYPE_GROUP:
            self._body(message.nested_type.add(name=field.type_name), depth + 1)
        else:
            self._take(";")
        return field

    def _map(self, field: FieldDescriptorProto, message: DescriptorProto) -> None:
        self._take("<")
        entry = DescriptorProto()
        entry.options.map_entry = True
        for number, (name, end) in enumerate((("key", ","), ("value", ">")), 1):
            part = entry.field.add(name=name, number=number, label=1, json_name=name)
            self._type(self._next(), part)
            self._take(end)
        field.name, field.label = self._word(), 3
        entry.name = "".join(word[:1].upper() + word[1:] for word in field.name.split("_")) + "Entry"
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, entry.name
        message.nested_type.append(entry)

    def _type(self, token: _Token, field: FieldDescriptorProto) -> None:
        if token.text in _SCALARS:
            field.type = _SCALARS[token.text]
        elif token.text == ".":
            field.type_name = "." + self._name()
        elif token.kind == "word":
            field.type_name = self._name(token.text)
        else:
            raise self._unexpected(token)

    def _enum(self, enum: EnumDescriptorProto) -> None:
        enum.name = self._word()
        self._take("{")
        while (token := self._next()).text != "}":
            following = self._peek()
            if token.text == "option" and following.text != "=":
                self._option(enum.options, ";")
                self._take(";")
            elif token.text == "reserved" and following.text != "=":
                self._skip(";")
                self._take(";")
            elif token.text != ";":
                if token.kind != "word":
                    raise self._unexpected(token)
                self._take("=")
                enum.value.add(name=token.text, number=self._integer())
                self._skip(";")
                self._take(";")

    def _option(self, options: Any, ends: str) -> None:
        """Read the name and the value of an option, and keep it if it decides how values are encoded."""
        name = []
        while (token := self._next()).text != "=":
            if token.kind not in ("word", "mark") or token.text in ("{", "}", ";"):
                raise self._unexpected(token)
            name.append(token.text)
        value = self._peek()
        match "".join(name).split("."):
            case ["packed"] if hasattr(options, "packed"):
                options.packed = value.text == "true"
            case ["features", feature] if feature in options.features.DESCRIPTOR.fields_by_name:
                kind = options.features.DESCRIPTOR.fields_by_name[feature].enum_type
                if kind is not None and value.text in kind.values_by_name:
                    setattr(options.features, feature, kind.values_by_name[value.text].number)
        self._skip(ends)

    def _edition(self) -> Any:
        try:
            return Edition.Value(f"EDITION_{self._string()}")
        except ValueError:
            raise ProtoSyntaxError("has an edition that is not supported") from None

    def _skip_block(self) -> None:
        self._skip("{")
        self._take("{")
        self._skip("}")
        self._take("}")

    def _skip(self, ends: str) -> None:
        """Pass over everything up to one of ``ends`` that is not within brackets."""
        within: list[str] = []
        while True:
            token = self._peek()
            if not within and token.kind == "mark" and token.text in ends:
                return
            if token.kind == "end":
                raise self._unexpected(token)
            if token.kind == "mark":
                if token.text in _CLOSING:
                    within.append(_CLOSING[token.text])
                elif within and token.text == within[-1]:
                    within.pop()
            self._next()

    def _name(self, first: str | None = None) -> str:
        """Read a name with dots, whose first part may have been read."""
        parts = [self._word() if first is None else first]
        while self._peek().text == ".":
            self._next()
            parts.append(self._word())
        return ".".join(parts)

    def _integer(self) -> int:
        sign = 1
        if self._peek().text == "-":
            self._next()
            sign = -1
        token = self._next()
        try:
            octal = token.text[:1] == "0" and token.text.isdigit()
            return sign * (int(token.text, 8) if octal else int(token.text, 0))
        except ValueError:
            raise self._unexpected(token) from None

    def _string(self) -> str:
        token = self._next()
        if token.kind != "string" or "\\" in token.text:
            raise self._unexpected(token)
        return token.text[1:-1]

    def _word(self) -> str:
        token = self._next()
        if token.kind != "word":
            raise self._unexpected(token)
        return token.text

    def _take(self, mark: str) -> None:
        if (token := self._next()).text != mark:
            raise self._unexpected(token)

    def _peek(self) -> _Token:
        return self._ahead

    def _next(self) -> _Token:
        token = self._ahead
        if token.kind != "end":
            self._ahead = next(self._rest)
        return token

    @staticmethod
    def _unexpected(token: _Token) -> ProtoSyntaxError:
        what = "ends too early" if token.kind == "end" else f"is wrong in line {token.line}"
        return ProtoSyntaxError(f"is not a .proto file: it {what}")
