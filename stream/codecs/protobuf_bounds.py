"""How many messages are in a value, before the parser meets it.

A message needs two bytes in a value, and hundreds in memory. Only the bytes are walked over, and nothing is built; and
only values long enough to be too much. How deep messages are nested is limited by the parser itself, to 100.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.errors import DecodeError

MOST_FIELDS = 1_000_000
"""Fields of all messages in a value together, present or not: each has its place in memory."""

NAME = 64
"""Characters of a name that count as one more value, because JSON repeats the name."""
_FIXED = {1: 8, 5: 4}
"""Wire type -> bytes."""
_VARINT, _DELIMITED, _GROUP, _END = 0, 2, 3, 4
_DEEPEST = 100


class _Type:
    """A message type: how many fields a message of it counts for, and the types of its fields that are messages."""

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.parts: dict[int, _Type] = {}


def bounds(message: Any) -> Callable[[bytes], None]:
    """Return what raises DecodeError for a value with too many messages; ``message``: the descriptor of its type."""
    types: dict[str, _Type] = {}
    root = _compile(message, types)
    heaviest = max((part.weight for kind in types.values() for part in kind.parts.values()), default=0)

    def check(value: bytes) -> None:
        if len(value) // 2 * heaviest > MOST_FIELDS and _count(value, root) > MOST_FIELDS:
            raise DecodeError(f"the messages in the value have more than {MOST_FIELDS} fields together")

    return check


def _compile(message: Any, types: dict[str, _Type]) -> _Type:
    """Return the type of a message, and add it and all that it contains to ``types``, by their names."""
    root = types[message.full_name] = _Type(_weight(message))
    waiting = [(message, root)]
    for above, made in waiting:  # which becomes longer
        for field in above.fields:
            below = field.message_type
            if below is None:
                continue
            if below.full_name not in types:
                types[below.full_name] = _Type(_weight(below))
                waiting.append((below, types[below.full_name]))
            made.parts[field.number] = types[below.full_name]
    return root


def _weight(message: Any) -> int:
    return 1 + sum(1 + len(field.name) // NAME for field in message.fields)


def _count(value: bytes, root: _Type) -> int:
    """Return the fields of all messages in ``value``: up to where it is corrupt, too deep, or has more than allowed."""
    kind: _Type | None = root  # None: unknown, as are all messages in it
    count, at, end = 0, 0, len(value)
    around: list[tuple[int, _Type | None]] = []
    try:
        while len(around) <= _DEEPEST and count <= MOST_FIELDS:
            while at >= end:
                if not around:
                    return count
                end, kind = around.pop()
            tag, at = _varint(value, at)
            wire = tag & 7
            part = None if kind is None else kind.parts.get(tag >> 3)
            if wire == _VARINT:
                _, at = _varint(value, at)
            elif wire in _FIXED:
                at += _FIXED[wire]
            elif wire == _DELIMITED:
                size, at = _varint(value, at)
                if part is None:
                    at += size
                else:
                    around.append((end, kind))
                    end, kind = min(at + size, end), part
                    count += part.weight
            elif wire == _GROUP:
                around.append((end, kind))
                kind = part
                count += 0 if part is None else part.weight
            elif wire == _END and around:
                end, kind = around.pop()
            else:
                break
    except IndexError:
        pass
    return count


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """Return a number, and where it ends. Raises IndexError if it has no end, or more than 10 bytes."""
    number = shift = 0
    while True:
        byte = value[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 63:
            raise IndexError
