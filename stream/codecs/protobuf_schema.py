"""A Protobuf schema without generated classes: from .proto files of a Schema Registry, or from a descriptor set."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from schemas.paths import EVERYWHERE, parse_pattern
from schemas.pipeline.wording import did_you_mean
from stream.codecs.proto_text import parse_proto
from stream.codecs.proto_tokens import ProtoSyntaxError
from stream.registry.schema_errors import UnusableSchemaError, kind_of

_ROOT = "glossator.root.proto"
_WELL_KNOWN = (
    "any", "source_context", "type", "api", "descriptor", "duration", "empty", "field_mask", "struct", "timestamp",
    "wrappers",
)  # fmt: skip
_SHIPPED = re.compile(r"(google/type|confluent|confluent/types?)/([a-z_]+)\.proto")
"""Files that producers import without registering them, because their libraries have them."""
_SUGGESTED, _SUGGESTED_LEVELS = 1000, 6
"""Where to look for paths that are like a wrong one. Messages may contain themselves."""
_ENTRY = [(1, "key", FieldDescriptor.LABEL_OPTIONAL), (2, "value", FieldDescriptor.LABEL_OPTIONAL)]
"""The fields of an entry of a map: number, name, label."""
_ENCODED = re.compile(r"[A-Za-z0-9+/\s]++={0,2}\s*+")
FREE = frozenset({"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"})
"""Messages that become JSON of any shape."""


class ProtobufSchema:
    """The messages of one schema, in a pool of their own.

    Attributes:
        file: the descriptor of the schema's own file; None for a descriptor set.
        names: the full names of the messages in its files, but for those of ``google.protobuf``.
    """

    def __init__(self, files: Iterable[FileDescriptorProto], root: str | None = None) -> None:
        """``files``: in any order; ``root``: the name of the schema's own. Raises UnusableSchemaError.

        Imports that are missing are left out: most are only needed for options. Extensions are left out, too, so what
        they encode counts as unknown.
        """
        self._pool = DescriptorPool()
        self._names: set[str] = set()
        self.names: list[str] = []
        for name in _WELL_KNOWN:
            descriptor = import_module(f"google.protobuf.{name}_pb2").DESCRIPTOR
            self._add(descriptor.serialized_pb, descriptor.name)
        self._waiting = {file.name: file for file in files}
        try:
            while self._waiting:
                self._add_file(self._waiting.pop(next(iter(self._waiting))))
        except UnusableSchemaError:
            raise
        except RecursionError:
            raise UnusableSchemaError("has imports that are nested too deep") from None
        except Exception as error:  # names may be bytes in a descriptor that no compiler has made
            raise UnusableSchemaError(f"has names that cannot be used ({type(error).__name__})") from None
        self.file: Any = None if root is None else self._pool.FindFileByName(root)
        self._outermost: Sequence[Any] = [] if self.file is None else [*self.file.message_types_by_name.values()]

    @classmethod
    def parse(cls, text: str, references: Sequence[tuple[str, str]] = ()) -> ProtobufSchema:
        """Make the schema that a registry has; ``references``: name and text of imports. Raises UnusableSchemaError."""
        return cls([*(_file(below, name) for name, below in references), _file(text, _ROOT)], _ROOT)

    @classmethod
    def load(cls, data: bytes) -> ProtobufSchema:
        """Make the schema of a serialized FileDescriptorSet. Raises UnusableSchemaError."""
        try:
            files = FileDescriptorSet.FromString(data).file
            present = {file.name for file in files}
            absent = {name for file in files for name in file.dependency if not name.startswith("google/")} - present
            return cls(files)
        except UnusableSchemaError as error:
            hint = "; protoc adds imported files only with --include_imports" if absent else ""
            raise UnusableSchemaError(f"{error}{hint}") from None
        except Exception as error:
            what = "is not what protoc --descriptor_set_out writes"
            raise UnusableSchemaError(f"{what}{kind_of(error)}") from None

    def at(self, indexes: tuple[int, ...]) -> Any:
        """Return the descriptor of the message to which ``indexes`` lead; None if there is none."""
        message, within = None, self._outermost
        for index in indexes:
            if not 0 <= index < len(within):
                return None
            message = within[index]
            within = message.nested_types
        return message

    def chosen(self, name: str, or_first: bool) -> tuple[Any, tuple[int, ...]]:
        """Return the message of the schema's own file with the full name ``name``, and its indexes.

        ``or_first``: take the first message of the file if there is none with that name. Raises UnusableSchemaError if
        there is no message to return.
        """
        messages = {message.full_name: (message, indexes) for message, indexes in self.messages()}
        if not messages:
            raise UnusableSchemaError("has no message")
        if name not in messages and not or_first:
            raise UnusableSchemaError(f"has no message {name}{did_you_mean(name, messages)}")
        return messages.get(name) or next(iter(messages.values()))

    def named(self, name: str) -> Any:
        """Return the descriptor of the message with the full name ``name``; None if there is none."""
        try:
            return self._pool.FindMessageTypeByName(name)
        except KeyError:
            return None

    def messages(self) -> Iterator[tuple[Any, tuple[int, ...]]]:
        """Yield the descriptors of all messages in the schema's own file, each with the indexes that lead to it."""
        waiting: list[tuple[tuple[int, ...], Any]] = [
            ((index,), message) for index, message in enumerate(self._outermost)
        ]
        for indexes, message in waiting:  # which becomes longer
            yield message, indexes
            waiting += [((*indexes, index), nested) for index, nested in enumerate(message.nested_types)]

    def _add_file(self, file: FileDescriptorProto) -> None:
        if file.name in self._names:
            return
        dependencies = [name for name in file.dependency if self._has(name)]
        file.ClearField("dependency")
        file.ClearField("public_dependency")
        file.ClearField("weak_dependency")
        file.ClearField("extension")
        file.dependency.extend(dependencies)
        for message in file.message_type:
            _prepare(message)
        self._add(file.SerializePartialToString(), file.name)  # options may lack what is required of them
        self.names += _named_in(file.message_type, f"{file.package}." if file.package else "")

    def _add(self, data: bytes, name: str) -> None:
        try:
            self._pool.AddSerializedFile(data)
        except Exception as error:  # its message quotes names
            raise UnusableSchemaError(f"has types that are missing or do not fit ({type(error).__name__})") from None
        self._names.add(name)

    def _has(self, name: str) -> bool:
        """Add the file that is imported as ``name``, unless it is there; return whether it can be had."""
        if name not in self._names:
            file = self._waiting.pop(name, None)
            if file is None and (match := _SHIPPED.fullmatch(name)) is not None:
                file = _shipped(match[1], match[2])
            if file is not None:
                self._add_file(file)
        return name in self._names


def _shipped(folder: str, name: str) -> FileDescriptorProto | None:
    home = {"google/type": "google.type"}.get(folder, f"confluent_kafka.schema_registry.{folder.replace('/', '.')}")
    try:
        return FileDescriptorProto.FromString(import_module(f"{home}.{name}_pb2").DESCRIPTOR.serialized_pb)
    except Exception:  # whatever it is, the file cannot be had
        return None


def _file(text: str, name: str) -> FileDescriptorProto:
    """Return the descriptor of a registry's file: .proto text, or a descriptor in Base64, as some clients register."""
    try:
        if _ENCODED.fullmatch(text):
            file = FileDescriptorProto.FromString(b64decode(text))
            file.name = name
            return file
        return parse_proto(text, name)
    except ProtoSyntaxError as error:
        raise UnusableSchemaError(str(error)) from None
    except Exception as error:
        raise UnusableSchemaError(f"is not a .proto file{kind_of(error)}") from None


def _prepare(message: DescriptorProto) -> None:
    """Drop the extensions in a message.

    Raises UnusableSchemaError if a map is not what a compiler makes of it: the pool takes it, and reading crashes.
    """
    message.ClearField("extension")
    for nested in message.nested_type:
        if nested.options.map_entry and [(part.number, part.name, part.label) for part in nested.field] != _ENTRY:
            raise UnusableSchemaError("has a map without a key and a value")
        _prepare(nested)


def _named_in(messages: Iterable[DescriptorProto], prefix: str) -> Iterator[str]:
    """Yield the full names of ``messages`` and of those within them, but for the entries of maps."""
    for message in messages:
        if not message.options.map_entry:
            yield f"{prefix}{message.name}"
            yield from _named_in(message.nested_type, f"{prefix}{message.name}.")


def has_place(message: Any, path: str) -> bool:
    """Whether a ``message``, by its descriptor, may have something at ``path``, as in ``input.text``, as JSON."""
    return path == EVERYWHERE or bool(_places(message, path))


def may_be_string(message: Any, path: str) -> bool:
    """Whether what a ``message``, by its descriptor, has at ``path`` may be a string in JSON."""
    return path == EVERYWHERE or any(_is_string(*place) for place in _places(message, path))


def _places(message: Any, path: str) -> list[tuple[Any, bool]]:
    """Return descriptors of messages or fields, and whether a field's entry is meant rather than all of them."""
    nodes: list[tuple[Any, bool]] = [(message, False)]
    for step in parse_pattern(path):  # many fields may have the same message
        below = (below for node in nodes for below in _below(*node, step))
        nodes = list({(node.full_name, entry): (node, entry) for node, entry in below}.values())
    return nodes


def _is_string(node: Any, entry: bool) -> bool:
    is_field = hasattr(node, "message_type")
    if is_field and node.is_repeated and not entry:
        return False
    message = node.message_type if is_field else node
    if message is not None:
        return message.full_name in FREE | LEAVES
    return node.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM)


def _below(node: Any, entry: bool, step: str | int | None) -> Iterator[tuple[Any, bool]]:
    is_field = hasattr(node, "message_type")
    if is_field and node.is_repeated and not entry:
        if is_map(node):
            if not isinstance(step, int):
                yield node.message_type.fields_by_name["value"], False
        elif not isinstance(step, str):
            yield node, True
        return
    message = node.message_type if is_field else node
    if message is None:
        return
    if message.full_name in FREE:
        yield message, False
    elif not isinstance(step, int) and message.full_name not in LEAVES:
        yield from ((field, False) for field in message.fields if step is None or field.name == step)


def text_paths(message: Any) -> list[str]:
    """Return paths of the strings in a ``message``, by its descriptor, to suggest one: at most 1,000, 6 levels deep."""
    paths: list[str] = []
    waiting = [("$", message)]
    for path, node in waiting:  # which becomes longer
        for field in node.fields if path.count(".") < _SUGGESTED_LEVELS else ():
            place = f"{path}.{field.name}{'[*]' * field.is_repeated}"
            if field.type == FieldDescriptor.TYPE_STRING:
                paths.append(place)
            elif field.message_type is not None and not is_map(field) and len(waiting) < _SUGGESTED:
                waiting.append((place, field.message_type))
    return paths[:_SUGGESTED]


def is_map(field: Any) -> bool:
    """Whether a field is a map, by its descriptor."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
"""Messages that become the value that they wrap."""
LEAVES = WRAPPERS | {"google.protobuf.Timestamp", "google.protobuf.Duration"}
"""Messages that do not become objects."""
