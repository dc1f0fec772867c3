r"""Replaces what some writers put into JSON, and common readers refuse, by something that all of them read.

- ``NaN``, ``Infinity`` and ``-Infinity`` become ``null``.
- A number beyond the range of a double (``1e400``, 400 digits) becomes a string with the same characters.
- An escape of a surrogate without its pair (``\ud83d`` alone) becomes ``\ufffd``, the replacement character.

Everything else stays as it is, byte for byte. The result is not checked: that is left to a strict parser.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from schemas.replaced import Replaced

# A string without an end goes to the end of the text, so that its rest is not searched again and again.
# A literal or number is only replaced where it is a whole value: not within a word, and not as a name.
_TOKEN = re.compile(
    r"""
    "(?P<string>(?:[^"\\]++|\\.)*+)"?+
  | (?P<mark>[\[\]{},])
  | (?<![\w.+-])(?:
        (?P<literal>NaN|-?Infinity)
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)
    )(?![\w.+-])(?!\s*+:)
    """,
    re.VERBOSE | re.DOTALL,
)
# A pair of surrogates, a single one, or another escape.
_ESCAPE = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<single>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
# A number of fewer characters without an exponent is within the range of a double.
_ALWAYS_FINITE = 300


def repair(text: str) -> tuple[str, Replaced]:
    """Return ``text``, which a strict parser has refused as JSON, with its values replaced, and which those are.

    ``text`` may be anything; where it is not JSON, the result is not JSON either.
    """
    replaced = Replaced()
    parts: list[str] = []
    end = 0
    for start, stop, replacement in _replacements(text, replaced):
        parts += (text[end:start], replacement)
        end = stop
    return "".join([*parts, text[end:]]), replaced


def _replacements(text: str, replaced: Replaced) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, replacement) for each value to replace, and add its place to ``replaced``."""
    # For each container around the current token: the index in an array, the name in an object, None before a name.
    steps: list[str | int | None] = []
    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token[0]
        replacement = value
        if kind == "mark":
            if value == ",":
                if steps:
                    index = steps[-1]
                    steps[-1] = index + 1 if isinstance(index, int) else None
            elif value in "{[":
                steps.append(None if value == "{" else 0)
            elif steps:
                steps.pop()
            continue
        if kind == "string":
            if "\\u" in value:
                replacement = _ESCAPE.sub(_pair, value)
            if steps and steps[-1] is None:
                steps[-1] = _name(replacement)
        elif kind == "literal":
            replacement = "null"
        elif (len(value) > _ALWAYS_FINITE or "e" in value or "E" in value) and math.isinf(float(value)):
            replacement = f'"{value}"'
        if replacement != value:
            replaced.add(["" if step is None else step for step in steps], number=kind == "number")
            yield *token.span(), replacement


def _pair(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape["single"] else escape[0]


def _name(string: str) -> str:
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string
