"""The rules about the Schema Registry that need several fields of the pipeline file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from schemas.pipeline.registry import FORMATS, SETTINGS
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import did_you_mean

Path: TypeAlias = tuple[str | int, ...]

_FIELDS = {
    "url": "url",
    "basic.auth.user.info": "username and password",
    "ssl.ca.location": "ca",
    "ssl.certificate.location": "certificate",
    "ssl.key.location": "key",
    "timeout": "timeout_ms",
}
_NEEDS_ENCODING = {
    "reader_schema": "avro",
    "validate": "json_schema",
    "descriptor_set": "protobuf",
    "message": "protobuf",
}
"""Options of ``input`` -> the encoding that has them."""
_PAIRED = {"descriptor_set": "message", "message": "descriptor_set"}
_RETRIES = ("max.retries", "retries.wait.ms", "retries.max.wait.ms", "cache.capacity", "cache.latest.ttl.sec")


def problems(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield (path, what is wrong) for each rule about the registry that ``raw``, the file as plain values, breaks."""
    source, registry = raw.get("input"), raw.get("registry")
    formats = [*_written(raw.get("output"))]
    if isinstance(source, Mapping):
        place, encoding = _encoding(source)
        if isinstance(encoding, str) and encoding in FORMATS and not _is_described(source):
            formats.insert(0, (("input", place), encoding))
    for path, name in formats if "registry" not in raw else ():
        other = " or input.descriptor_set" if name == "protobuf" and path[0] == "input" else ""
        yield path, f'"{name}" needs a Schema Registry: set registry.url{other}'
    if isinstance(source, Mapping):
        yield from _misplaced(source)
    yield from _without_effect(raw)
    if not isinstance(registry, Mapping):
        return
    if not formats:
        yield ("registry",), f"is not used: no format of input or output is one of {', '.join(FORMATS)}"
    for name, other in (("username", "password"), ("password", "username"), ("key", "certificate")):
        if name in registry and other not in registry:
            yield ("registry", name), f'needs "{other}", too'
    client = registry.get("client")
    for name in client if isinstance(client, Mapping) else ():
        if name in _FIELDS:
            yield ("registry", "client", name), f"is set with registry.{_FIELDS[name]}"
        elif name in _RETRIES:
            yield ("registry", "client", name), "cannot be set: the worker keeps schemas and asks again by itself"
        elif name not in SETTINGS:
            yield ("registry", "client", name), f"unknown setting{did_you_mean(str(name), SETTINGS)}"


def _encoding(source: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the field of ``input`` that says how values are encoded, and what it says, which may be anything."""
    name = "encoding" if source.get("format") == "debezium" and "encoding" in source else "format"
    return name, source.get(name)


def _is_described(source: Mapping[str, Any]) -> bool:
    """Whether a file describes the values, so that no registry is needed."""
    return "descriptor_set" in source and _encoding(source)[1] == "protobuf"


def _misplaced(source: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the options of ``input`` that its encoding does not have, and those of which a second is missing."""
    _, encoding = _encoding(source)
    if "encoding" in source and source.get("format") != "debezium":
        yield (
            ("input", "encoding"),
            "is only for format: debezium; other formats say by their name how they are encoded",
        )
    for name, needed in _NEEDS_ENCODING.items():
        if name in source and encoding != needed:
            yield ("input", name), f"is only for format: {needed}, or encoding: {needed}"
        elif (other := _PAIRED.get(name)) and name in source and other not in source:
            yield ("input", name), f'needs "{other}", too'


def _written(output: Any) -> Iterator[tuple[Path, str]]:
    """Yield (path, name) for each format of the output and of its routes that needs a registry."""
    outputs: list[tuple[Path, Any]] = [(("output",), output)]
    routes = output.get("routes") if isinstance(output, Mapping) else None
    outputs += [(("output", "routes", index), route) for index, route in enumerate(as_list(routes))]
    for path, fields in outputs:
        chosen = fields.get("format") if isinstance(fields, Mapping) else None
        for name in FORMATS:
            if chosen == name or (isinstance(chosen, Mapping) and name in chosen):
                yield (*path, "format"), name


def _without_effect(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path, name in _written(raw.get("output")):
        fields: Any = raw
        for step in path[:-1]:
            fields = fields[step]
        chosen = fields["format"]
        options = chosen.get(name) if isinstance(chosen, Mapping) else None
        automatic = isinstance(options, Mapping) and options.get("auto_register") is True
        shape = fields.get("shape") or as_table(raw.get("output")).get("shape")
        if automatic and shape not in (None, "event"):
            yield (
                (*path, name, "auto_register"),
                "registers the schema of the event, but shape makes something else of it",
            )
        if isinstance(options, Mapping) and "compatibility" in options and not automatic:
            yield (*path, name, "compatibility"), "is only set with auto_register: true"
