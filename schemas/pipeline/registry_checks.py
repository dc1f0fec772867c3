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
_RETRIES = ("max.retries", "retries.wait.ms", "retries.max.wait.ms", "cache.capacity", "cache.latest.ttl.sec")


def problems(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield (path, what is wrong) for each rule about the registry that ``raw``, the file as plain values, breaks."""
    source, registry = raw.get("input"), raw.get("registry")
    form, place = _encoding(source) if isinstance(source, Mapping) else (None, "format")
    formats = [*_written(raw.get("output"))]
    described = isinstance(source, Mapping) and "descriptor_set" in source
    if isinstance(form, str) and form in FORMATS and not (described and form == "protobuf"):
        formats.insert(0, (("input", place), form))
    for path, name in formats if "registry" not in raw else ():
        other = " or input.descriptor_set" if name == "protobuf" and path[0] == "input" else ""
        yield path, f'"{name}" needs a Schema Registry: set registry.url{other}'
    if isinstance(source, Mapping) and "reader_schema" in source and form != "avro":
        yield ("input", "reader_schema"), "is only for format: avro, or encoding: avro"
    if isinstance(source, Mapping):
        if "encoding" in source and source.get("format") != "debezium":
            yield (
                ("input", "encoding"),
                "is only for format: debezium; other formats say by their name how they are encoded",
            )
        if "validate" in source and _encoding(source)[0] != "json_schema":
            yield ("input", "validate"), "is only for format: json_schema, or encoding: json_schema"
        yield from _descriptors(source)
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


def _encoding(source: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the format by which values become JSON, and which field of ``input`` says so."""
    name = "encoding" if source.get("format") == "debezium" and "encoding" in source else "format"
    return source.get(name), name


def _descriptors(source: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for name, other in (("descriptor_set", "message"), ("message", "descriptor_set")):
        if name not in source:
            continue
        if _encoding(source)[0] != "protobuf":
            yield ("input", name), "is only for format: protobuf, or encoding: protobuf"
        elif other not in source:
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
