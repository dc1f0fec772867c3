"""Finds where the members of a JSON object are written, so that a value can be taken out as it is written.

Parsing and writing it again would change long numbers and lose repeated names.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]  # the name has no stub

from schemas.errors import DecodeError

_SPACE = re.compile(r"[ \t\n\r]*")


def _unread(_: str) -> int:
    return 0


# Numbers are only passed over: the conversion of a very long one would be refused.
_SCANNER = JSONDecoder(parse_int=_unread, parse_float=_unread, parse_constant=_unread, strict=False)


def members(text: str) -> dict[str, tuple[int, int]] | None:
    """Return where the value of each member of the object in ``text`` is, from its first character to behind its last.

    Of a repeated name, the last value counts. None if ``text`` is not a JSON object. Numbers may be NaN and Infinity,
    and strings may contain control characters. Raises DecodeError if values are nested too deeply to be read.
    """
    places: dict[str, tuple[int, int]] = {}
    try:
        at = _skip(text, 0)
        if text[at] != "{":
            return None
        at = _skip(text, at + 1)
        more = text[at] != "}"
        while more:
            if text[at] != '"':
                return None
            name, at = scanstring(text, at + 1, False)
            at = _skip(text, at)
            if text[at] != ":":
                return None
            start = _skip(text, at + 1)
            _, end = _SCANNER.raw_decode(text, start)
            places[name] = start, end
            at = _skip(text, end)
            more = text[at] == ","
            if more:
                at = _skip(text, at + 1)
            elif text[at] != "}":
                return None
        return places if _skip(text, at + 1) == len(text) else None
    except (IndexError, JSONDecodeError):
        return None
    except RecursionError:
        raise DecodeError("the value is nested too deeply") from None


def string_at(text: str, place: tuple[int, int]) -> str | None:
    """Return the string that is written at ``place``; None if something else is."""
    if text[place[0]] != '"':
        return None
    value: str = scanstring(text, place[0] + 1, False)[0]
    return value


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere
