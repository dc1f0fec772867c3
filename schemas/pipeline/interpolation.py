"""``${VAR}`` in the values of the pipeline file, after docker-compose and POSIX shells.

- ``${VAR}``: the variable's value; not set is a mistake.
- ``${VAR:-default}``: the default when the variable is not set or empty.
- ``${VAR:?message}``: the message becomes the mistake when the variable is not set or empty.
- ``$${`` stands for ``${``; a ``$`` before anything else is itself.

What is put in is never read again: neither as YAML nor for further variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}|(?P<bad>))"
)


def interpolate(text: str, environ: Mapping[str, str], limit: int = 1 << 20) -> tuple[str, list[str]]:
    """``text`` with its variables put in, and what is wrong with it: variables by name, never by value.

    A result of more than ``limit`` characters is one more mistake, found before it is built.
    """
    wrong: list[str] = []
    room = limit - len(text)

    def put(reference: re.Match[str]) -> str:
        nonlocal room
        if reference["escape"]:
            return "${"
        if reference["bad"] is not None:
            wrong.append(
                'cannot read the variable: write ${NAME}, ${NAME:-default} or ${NAME:?message}, and "$${" '
                'for a plain "${"'
            )
            return ""
        name, kind, rest = reference["name"], reference["kind"], reference["rest"]
        value = environ.get(name)
        if kind == "-" and not value:
            value = rest
        elif kind == "?" and not value:
            wrong.append(f"environment variable {name} is not set or empty: {_one_line(rest)}".removesuffix(": "))
        elif value is None:
            wrong.append(f"environment variable {name} is not set")
        room -= len(value or "")
        return value or "" if room >= 0 else ""

    result = _REFERENCE.sub(put, text)
    if room < 0:
        wrong.append("too long once its variables are put in")
    return result, list(dict.fromkeys(wrong))


def escape(text: str) -> str:
    """The value to write into the file for ``text`` to come out of it."""
    return text.replace("${", "$${")


def _one_line(message: str) -> str:
    return " ".join(message.split())
