"""Collects the texts of an event in which several may be, and joins them to the one that the tasks read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from schemas.document import Part
from schemas.errors import DecodeError
from schemas.paths import EVERYWHERE, Steps, follow, jsonpath, matches, parse_path, parse_pattern
from schemas.replaced import Replaced

TYPE_NAMES = {
    dict: "an object",
    list: "an array",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    str: "a string",
}
"""What each type of a parsed value is called in messages."""

SEPARATOR = "\n\n"
"""What the texts are joined by. No task lets a span reach across it."""

MOST_PARTS = 10_000
"""The most texts of one event."""

_MOST_NAMED = 5


class Texts(NamedTuple):
    """The texts of one event.

    - ``text``: all of them, joined by ``SEPARATOR``.
    - ``parts``: where each of them is in it, in its order.
    - ``missing``: the paths without ``[*]`` at which there is nothing.
    """

    text: str
    parts: tuple[Part, ...]
    missing: list[str]


class TextCollector:
    """Finds the texts at the paths of ``input.text``. Any thread may use it.

    They come in the order of the paths, and those of one path in the order of the event. Texts that are empty or only
    white space are left out. ``null`` counts as nothing, and any other value that is not a string is an error; for
    ``$..*``, which names every value, only strings count.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        """``paths``: those of ``input.text``, of which no two name the same place."""
        self._paths = paths
        self._places = [_places(path) for path in paths]

    def collect(self, event: dict[str, Any], replaced: Replaced | None) -> Texts:
        """Return the texts of ``event``. ``replaced``: the values in it that the codec has replaced.

        Raises DecodeError if there is none, if there are more than ``MOST_PARTS``, or for a value at one of the paths
        that is not a text or was replaced.
        """
        parts: list[Part] = []
        texts: list[str] = []
        missing: list[str] = []
        at, blank = 0, False
        for path, places in zip(self._paths, self._places, strict=True):
            any_text = False
            for steps, text in places.texts(event, replaced):
                any_text = True
                if not text or text.isspace():
                    blank = True
                    continue
                if len(parts) == MOST_PARTS:
                    raise DecodeError(f"the event has more than {MOST_PARTS} texts")
                end = at + len(text)
                parts.append(Part(path if isinstance(places, _Single) else jsonpath(steps), at, end, steps))
                texts.append(text)
                at = end + len(SEPARATOR)
            if not any_text and isinstance(places, _Single):
                missing.append(path)
        if not texts:
            named = ", ".join(self._paths[:_MOST_NAMED])
            if len(self._paths) > _MOST_NAMED:
                named += f" and {len(self._paths) - _MOST_NAMED} more"
            raise DecodeError(f"there is {'only white space' if blank else 'no text'} at {named}")
        return Texts(SEPARATOR.join(texts), tuple(parts), missing)


def require_text(value: object, steps: Sequence[str | int], path: str, replaced: Replaced | None) -> str:
    """Return ``value``, which is at ``steps``. Raises DecodeError, with ``path``, if it is no text or was replaced."""
    if replaced is not None and replaced.touches(steps):
        raise _unreadable(path)
    if not isinstance(value, str):
        raise DecodeError(f"the text at {path} is {TYPE_NAMES[type(value)]}, not a string")
    return value


def _is_nothing(value: object, steps: Steps, replaced: Replaced | None) -> bool:
    """Whether ``value`` is ``null`` in the input, and not what the codec has put in place of a ``NaN``."""
    return value is None and (replaced is None or not replaced.touches(steps))


def _unreadable(path: str) -> DecodeError:
    reasons = "NaN, Infinity, a number out of range, or a lone surrogate"
    return DecodeError(f"the value at {path} is or contains what JSON cannot represent: {reasons}")


_Found = Iterator[tuple[Steps, str]]
"""The place of a text, and the text."""


class _Single:
    """A path that names one place."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._steps = tuple(parse_path(path))

    def texts(self, event: dict[str, Any], replaced: Replaced | None) -> _Found:
        try:
            value = follow(self._steps, event)
        except LookupError:
            return
        if not _is_nothing(value, self._steps, replaced):
            yield self._steps, require_text(value, self._steps, self._path, replaced)


class _Several:
    """A path with ``[*]``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pattern = parse_pattern(path)

    def texts(self, event: dict[str, Any], replaced: Replaced | None) -> _Found:
        for steps, value in matches(self._pattern, event):
            # A message names the path of the pipeline file, because names in the event may be personal data.
            if not _is_nothing(value, steps, replaced):
                yield steps, require_text(value, steps, self._path, replaced)


class _Everywhere:
    """``$..*``: every string of the event that is a value, and not a name."""

    def texts(self, event: dict[str, Any], replaced: Replaced | None) -> _Found:
        # An event may be nested too deeply for a function that calls itself.
        levels: list[Iterator[tuple[str | int, Any]]] = [iter(event.items())]
        steps: list[str | int] = [""]
        while levels:
            for step, value in levels[-1]:
                if isinstance(value, str):
                    place = (*steps[:-1], step)
                    if replaced is not None and replaced.touches(place):
                        if replaced.was_number(place):
                            continue
                        raise _unreadable(EVERYWHERE)
                    yield place, value
                elif value and isinstance(value, dict | list):
                    steps[-1] = step
                    steps.append("")
                    levels.append(iter(value.items()) if isinstance(value, dict) else enumerate(value))
                    break
            else:
                levels.pop()
                steps.pop()


def _places(path: str) -> _Single | _Several | _Everywhere:
    if path == EVERYWHERE:
        return _Everywhere()
    return _Several(path) if None in parse_pattern(path) else _Single(path)
