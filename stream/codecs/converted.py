"""What is shared by codecs whose values become JSON that the input did not contain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from schemas.errors import DecodeError
from schemas.replaced import Replaced


def as_json(fields: Any, floats: bool, default: Callable[[Any], Any] | None = None) -> tuple[bytes, Replaced | None]:
    """Return ``fields`` as JSON, and the values in them that JSON cannot represent; None if all can.

    Args:
        fields: what was decoded.
        floats: whether there may be a float in them.
        default: turns what orjson does not know into what it knows; raises TypeError for the rest.

    Raises:
        DecodeError: a value cannot be written.
    """
    try:
        event = orjson.dumps(fields, default=default)
    except TypeError as error:  # its message names types and never a value
        raise DecodeError(f"the value cannot be written as JSON: {error}") from None
    if not (floats and b"null" in event):
        return event, None
    replaced = Replaced()
    for steps in _infinite(fields):
        replaced.add(steps)
    return event, replaced if replaced.count else None


def _infinite(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each float that is not finite."""
    if isinstance(value, float):
        if not math.isfinite(value):
            yield at
    elif isinstance(value, dict | list):
        for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _infinite(entry, (*at, name))
