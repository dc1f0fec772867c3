"""The rules about the Schema Registry that need several fields of the pipeline file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.pipeline.registry import FORMATS, SETTINGS
from schemas.pipeline.wording import did_you_mean

_FIELDS = {
    "url": "url",
    "basic.auth.user.info": "username and password",
    "ssl.ca.location": "ca",
    "ssl.certificate.location": "certificate",
    "ssl.key.location": "key",
    "timeout": "timeout_ms",
}
_RETRIES = ("max.retries", "retries.wait.ms", "retries.max.wait.ms", "cache.capacity", "cache.latest.ttl.sec")


def problems(raw: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path, what is wrong) for each rule about the registry that ``raw``, the file as plain values, breaks."""
    source, registry = raw.get("input"), raw.get("registry")
    form = source.get("format") if isinstance(source, Mapping) else None
    framed = isinstance(form, str) and form in FORMATS
    if framed and "registry" not in raw:
        yield ("input", "format"), f'"{form}" needs a Schema Registry: set registry.url'
    if isinstance(source, Mapping) and "reader_schema" in source and form != "avro":
        yield ("input", "reader_schema"), "is only for format: avro"
    if not isinstance(registry, Mapping):
        return
    if not framed:
        yield ("registry",), f"is not used: input.format is none of {', '.join(FORMATS)}"
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
