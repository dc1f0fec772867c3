"""Places in an event: paths that name one place, patterns that name several, and what is there.

Both are written in a part of JSONPath (RFC 9535).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

Steps: TypeAlias = tuple[str | int, ...]
"""One place: names of members and indices of arrays."""

Pattern: TypeAlias = tuple[str | int | None, ...]
"""Several places: the same, and None for ``[*]``."""

EVERYWHERE: Final = "$..*"
"""The path of every value in the event. It is not a ``Pattern``."""

LONGEST = 200
"""Characters of a path that we write into an event; a longer one is cut there and ends with "…"."""

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]|\[(?:'([^']+)'|\"([^\"]+)\")\]|(\[\*\])")


def parse_path(path: str) -> list[str | int]:
    """Split a path into its steps: names of object members and indices of lists.

    Paths use the part of JSONPath (RFC 9535) that names exactly one place: ``$``, ``.name``, ``['any name']`` and
    ``[3]``. Raises ValueError with the first character that does not belong to a path.
    """
    steps: list[str | int] = []
    for at, step in _steps(path):
        if step is None:
            raise ValueError(f"must name a single place, but has [*] from character {at + 1} on")
        steps.append(step)
    return steps


def parse_pattern(path: str) -> Pattern:
    """Split a path that may contain ``[*]`` into its steps. Raises ValueError as ``parse_path`` does."""
    return tuple(step for _, step in _steps(path))


def _steps(path: str) -> Iterator[tuple[int, str | int | None]]:
    """Yield each step with its first character."""
    if not path.startswith("$"):
        raise ValueError("must start with $, for example $.body")
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"not a path from character {at + 1} on; use $.name, $['any name'] or $[0]")
        plain, index, single, double, every = match.groups()
        yield at, None if every else int(index) if index is not None else plain or single or double
        at = match.end()


def follow(steps: Sequence[str | int], event: Any) -> Any:
    """Return the value in ``event`` at the end of ``steps``; a number needs a list, a name needs an object.

    Raises LookupError if there is no such place.
    """
    value = event
    for step in steps:
        fits = isinstance(value, list if isinstance(step, int) else dict)
        if not fits:
            raise LookupError(step)
        value = value[step]
    return value


def matches(pattern: Pattern, event: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield each place in ``event`` that ``pattern`` names, with the value there, in the order of the event.

    ``[*]`` names every entry of an array and every member of an object. Places that do not exist are left out.
    ``at`` is the place of ``event`` itself.
    """
    value = event
    for number, step in enumerate(pattern):
        if step is None:
            rest = pattern[number + 1 :]
            # A large event may have millions of entries that lead nowhere: a call for each would take seconds.
            fitting = _container(rest[0]) if rest else object
            for name, entry in _entries(value):
                if isinstance(entry, fitting):
                    yield from matches(rest, entry, (*at, name))
            return
        if not isinstance(value, _container(step)):
            return
        try:
            value = value[step]  # type: ignore[index]  # a list or an object, as the container is
        except LookupError:
            return
        at = (*at, step)
    yield at, value


def _container(step: str | int | None) -> type | tuple[type, ...]:
    """Return the type, or types, of the values that ``step`` can lead into."""
    return (list, dict) if step is None else list if isinstance(step, int) else dict


def _entries(value: Any) -> Iterable[tuple[str | int, Any]]:
    return enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()


def jsonpath(steps: Sequence[str | int], shown: Collection[str] | None = None) -> str:
    """Return the path of one place, as JSONPath; a path of more than ``LONGEST`` characters is cut.

    With ``shown``, any other name is written as ``*``.
    """
    path = "$"
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif shown is not None and step not in shown:
            path += ".*"
        else:
            # A name may be as long as the event.
            name = step[: LONGEST + 1]
            is_plain = name.isascii() and name.isidentifier()
            path += f".{name}" if is_plain else f"[{json.dumps(name, ensure_ascii=False)}]"
        if len(path) > LONGEST:
            return path[:LONGEST] + "…"
    return path
