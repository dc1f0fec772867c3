"""Reads the text of a .proto file into a descriptor, as ``protoc`` does.

Only what decides how values are encoded is kept: messages, enums, fields, and the few options that matter. Services,
extensions, reserved names and other options are passed over. Names of types stay as they are written, because the
descriptor pool resolves them, and reports those that do not exist.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from stream.codecs.proto_tokens import ProtoSyntaxError, Token, Tokens

_SCALARS = {
    name.removeprefix("TYPE_").lower(): number
    for name, number in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM")
}
_LABELS = {"optional": 1, "required": 2, "repeated": 3}
_DEEPEST = 30
"""Levels of messages within messages."""
_LARGEST = 10_000_000
"""Characters of a file."""


def parse_proto(text: str, name: str) -> FileDescriptorProto:
    """Return the descriptor of the .proto file ``text``, under ``name``. Raises ProtoSyntaxError."""
    if len(text) > _LARGEST:
        raise ProtoSyntaxError(f"is a .proto file of more than {_LARGEST} characters")
    return _Parser(text).file(name)


class _Parser:
    """Reads one file, token by token; each method reads what it is named after."""

    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text)
        self._proto3 = False

    def file(self, name: str) -> FileDescriptorProto:
        file = FileDescriptorProto(name=name)
        while (token := self._tokens.next()).kind != "end":
            match token.text:
                case "syntax":
                    self._tokens.take("=")
                    file.syntax = self._tokens.string()
                    self._proto3 = file.syntax == "proto3"
                    self._tokens.take(";")
                case "edition":
                    self._tokens.take("=")
                    file.syntax, file.edition = "editions", self._edition()
                    self._tokens.take(";")
                case "import":
                    while self._tokens.peek().kind == "word":  # public, weak or option
                        self._tokens.next()
                    file.dependency.append(self._tokens.string())
                    self._tokens.take(";")
                case "package":
                    file.package = self._tokens.name()
                    self._tokens.take(";")
                case "option":
                    self._option(file.options, ";")
                    self._tokens.take(";")
                case "message":
                    self._message(file.message_type.add(), 0)
                case "enum":
                    self._enum(file.enum_type.add())
                case "extend" | "service":
                    self._tokens.skip_block()
                case "export" | "local" | ";":
                    pass
                case _:
                    raise self._tokens.unexpected(token)
        return file

    def _message(self, message: DescriptorProto, depth: int) -> None:
        message.name = self._tokens.word()
        self._body(message, depth)

    def _body(self, message: DescriptorProto, depth: int) -> None:
        if depth > _DEEPEST:
            raise ProtoSyntaxError(f"has messages that are nested more than {_DEEPEST} levels deep")
        self._tokens.take("{")
        while (token := self._tokens.next()).text != "}":
            following = self._tokens.peek()
            match token.text:
                case "message" if following.kind == "word":
                    self._message(message.nested_type.add(), depth + 1)
                case "enum" if following.kind == "word":
                    self._enum(message.enum_type.add())
                case "oneof" if following.kind == "word":
                    self._oneof(message, depth)
                case "extend":
                    self._tokens.skip_block()
                case "option":
                    self._option(message.options, ";")
                    self._tokens.take(";")
                case "reserved" | "extensions":
                    self._tokens.skip(";")
                    self._tokens.take(";")
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
        message.oneof_decl.add(name=self._tokens.word())
        self._tokens.take("{")
        while (token := self._tokens.next()).text != "}":
            if token.text == "option":
                self._tokens.skip(";")
                self._tokens.take(";")
            elif token.text != ";":
                self._field(token, message, depth).oneof_index = index

    def _field(self, token: Token, message: DescriptorProto, depth: int) -> FieldDescriptorProto:
        """Read the rest of a field that begins with ``token``."""
        field = message.field.add(label=1)
        if token.text in _LABELS:
            field.label = _LABELS[token.text]
            if self._proto3 and token.text == "optional":
                field.proto3_optional = True
            token = self._tokens.next()
        if token.text == "map" and self._tokens.peek().text == "<":
            self._map(field, message)
        elif token.text == "group":
            field.type, field.type_name = FieldDescriptorProto.TYPE_GROUP, self._tokens.word()
            field.name = field.type_name.lower()
        else:
            self._type(token, field)
            field.name = self._tokens.word()
        field.json_name = field.name  # so that two names never become the same one
        self._tokens.take("=")
        field.number = self._tokens.integer()
        if self._tokens.peek().text == "[":
            self._tokens.next()
            while True:
                self._option(field.options, ",]")
                if self._tokens.next().text == "]":
                    break
        if field.type == FieldDescriptorProto.TYPE_GROUP:
            self._body(message.nested_type.add(name=field.type_name), depth + 1)
        else:
            self._tokens.take(";")
        return field

    def _map(self, field: FieldDescriptorProto, message: DescriptorProto) -> None:
        self._tokens.take("<")
        entry = DescriptorProto()
        entry.options.map_entry = True
        for number, (name, end) in enumerate((("key", ","), ("value", ">")), 1):
            part = entry.field.add(name=name, number=number, label=1, json_name=name)
            self._type(self._tokens.next(), part)
            self._tokens.take(end)
        field.name, field.label = self._tokens.word(), 3
        entry.name = "".join(word[:1].upper() + word[1:] for word in field.name.split("_")) + "Entry"
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, entry.name
        message.nested_type.append(entry)

    def _type(self, token: Token, field: FieldDescriptorProto) -> None:
        if token.text in _SCALARS:
            field.type = _SCALARS[token.text]
        elif token.text == ".":
            field.type_name = "." + self._tokens.name()
        elif token.kind == "word":
            field.type_name = self._tokens.name(token.text)
        else:
            raise self._tokens.unexpected(token)

    def _enum(self, enum: EnumDescriptorProto) -> None:
        enum.name = self._tokens.word()
        self._tokens.take("{")
        while (token := self._tokens.next()).text != "}":
            following = self._tokens.peek()
            if token.text == "option" and following.text != "=":
                self._option(enum.options, ";")
                self._tokens.take(";")
            elif token.text == "reserved" and following.text != "=":
                self._tokens.skip(";")
                self._tokens.take(";")
            elif token.text != ";":
                if token.kind != "word":
                    raise self._tokens.unexpected(token)
                self._tokens.take("=")
                enum.value.add(name=token.text, number=self._tokens.integer())
                self._tokens.skip(";")
                self._tokens.take(";")

    def _option(self, options: Any, ends: str) -> None:
        """Read the name and the value of an option, and keep it if it decides how values are encoded."""
        name = []
        while (token := self._tokens.next()).text != "=":
            if token.kind not in ("word", "mark") or token.text in ("{", "}", ";"):
                raise self._tokens.unexpected(token)
            name.append(token.text)
        value = self._tokens.peek()
        match "".join(name).split("."):
            case ["packed"] if hasattr(options, "packed"):
                options.packed = value.text == "true"
            case ["features", feature] if feature in options.features.DESCRIPTOR.fields_by_name:
                kind = options.features.DESCRIPTOR.fields_by_name[feature].enum_type
                if kind is not None and value.text in kind.values_by_name:
                    setattr(options.features, feature, kind.values_by_name[value.text].number)
        self._tokens.skip(ends)

    def _edition(self) -> Any:
        try:
            return Edition.Value(f"EDITION_{self._tokens.string()}")
        except ValueError:
            raise ProtoSyntaxError("has an edition that is not supported") from None
