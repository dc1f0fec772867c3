"""The rules of ``output.format`` that concern more than one field. Like ``checks.py``, they work on plain mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from schemas.cloudevents import CONTENT_TYPE, OUR_ATTRIBUTES, PREFIX

Mistakes: TypeAlias = Iterator[tuple[tuple[str | int, ...], str]]


def doubts(raw: Mapping[str, Any]) -> Mistakes:
    """Yield each place where readers may take enriched events for others; ``raw`` is a pipeline without mistakes."""
    source, output = raw["input"], raw["output"]
    if source["format"] != "cloudevents":
        return
    message = (
        "keeps the headers ce_* of the input, by which readers take an enriched event for the CloudEvent of the input; "
        "set it to cloudevents"
    )
    if output["format"] == "json":
        yield ("output", "format"), message
    for index, route in enumerate(output.get("routes") or ()):
        if route.get("format") == "json":
            yield ("output", "routes", index, "format"), message


def problems(output: Mapping[str, Any]) -> Mistakes:
    """Yield every mistake in the formats of ``output`` and its routes, as (path below ``output``, message)."""
    routes = output.get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        if not isinstance(route, Mapping):
            continue
        chosen = route.get("format") or output.get("format")
        headers = route.get("headers")
        if chosen != "cloudevents" and not (isinstance(chosen, Mapping) and "cloudevents" in chosen):
            continue
        for name in headers if isinstance(headers, Mapping) else ():
            if not isinstance(name, str):
                continue
            attribute = name.removeprefix(PREFIX)
            if name.lower() == CONTENT_TYPE or (name.startswith(PREFIX) and attribute in OUR_ATTRIBUTES):
                settable = f"; use format: {{cloudevents: {{{attribute}: ...}}}}"
                hint = settable if attribute in {"source", "type", "dataschema"} else ""
                yield ("routes", index, "headers", name), f"cannot be set: it is an attribute of the CloudEvent{hint}"
