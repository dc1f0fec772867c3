"""The rules for routes of the pipeline file. Like ``checks``, they work on plain mappings with mistakes elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.pipeline.dependencies import condition, misuses
from schemas.pipeline.unchecked import as_list
from schemas.pipeline.wording import did_you_mean, suggest

Route: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

RESERVED_HEADERS = "__glossator."
"""No route may set a header whose name begins like this: dead letters are recognised by such headers."""

_PUBLISHING = ("topic", "text", "annotations", "shape", "key", "format", "headers")
"""What only a route that publishes can have."""
_FIELDS = frozenset({"when", "name", "copy", "drop", *_PUBLISHING})


def problems(
    routes: Sequence[Route], tasks: Sequence[Mapping[str, Any]], inputs: Sequence[Any], dead: object, is_json: bool
) -> Iterator[tuple[Path, str]]:
    """Yield every mistake in ``routes``, as (path below ``routes``, message).

    ``inputs`` and ``dead`` are the input topics and the dead-letter topic; ``is_json``: events have fields.
    """
    kinds = {str(task.get("name")): str(task.get("task")) for task in tasks}
    names: dict[str, int] = {}
    taken: int | None = None
    for index, route in enumerate(routes):
        if taken is not None:
            yield (index,), f"no event reaches this route: routes[{taken}] has no condition and takes them all"
            taken = None  # once is enough
        elif route.get("when") is None and route.get("copy") is not True:
            taken = index
        yield from (((index, *path), message) for path, message in _alone(route, inputs, dead, is_json))
        name = route.get("name") or route.get("topic") or ("drop" if route.get("drop") is True else None)
        if isinstance(name, str) and names.setdefault(name, index) != index:
            field = next((field for field in ("name", "topic", "drop") if route.get(field)), "name")
            yield (index, field), f"has the same name as routes[{names[name]}]; give each route its own name"
        for number, task in enumerate(as_list(route.get("annotations"))):
            if isinstance(task, str) and task not in kinds:
                hint = did_you_mean(task, kinds) or f", only {', '.join(kinds)}"
                yield (index, "annotations", number), f"there is no task with that name{hint}"
        try:
            compiled = condition(route)
        except ValueError as error:
            yield (index, "when"), str(error)
            continue
        if compiled is not None:
            yield from (((index, "when"), message) for message in misuses(compiled, kinds, is_json))


def _alone(route: Route, inputs: Sequence[Any], dead: object, is_json: bool) -> Iterator[tuple[Path, str]]:
    """Yield the mistakes of a route that do not depend on other routes or on tasks."""
    topic, drop = route.get("topic"), route.get("drop") is True
    if drop:
        for field in _PUBLISHING:
            if route.get(field) is not None:
                yield (field,), "cannot be used with drop: true, which publishes nothing"
        if route.get("copy") is True:
            yield ("copy",), "cannot be used with drop: true: a copy is published"
    elif topic is None:
        misspelt = (suggest(field, ("topic", "drop")) for field in route if field not in _FIELDS)
        if not any(misspelt):
            yield (), 'needs "topic", or "drop: true"'
    elif topic in inputs:
        yield ("topic",), "is also an input topic: the pipeline would read its own output in an endless loop"
    elif topic == dead:
        yield ("topic",), "is also the dead-letter topic; dead letters need a separate topic"
    if isinstance(route.get("key"), str) and not is_json:
        yield ("key",), "cannot be used with format: text, where events have no fields"
    headers = route.get("headers")
    for header in headers if isinstance(headers, Mapping) else ():
        if isinstance(header, str) and header.startswith(RESERVED_HEADERS):
            yield ("headers", header), f"cannot be set: headers named {RESERVED_HEADERS}* are glossator's own"
