"""Substitute ``${VAR}`` in the values of the pipeline file, as docker-compose and POSIX shells do.

- ``${VAR}``: the variable's value; a mistake if it is not set.
- ``${VAR:-default}``: the default if the variable is not set or empty.
- ``${VAR:?message}``: a mistake with this message if the variable is not set or empty.
- ``$${``: a literal ``${``. A ``$`` before anything else is literal.

Substituted values are not interpreted again, neither as YAML nor for more variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}|(?P<bad>))"
)


def interpolate(text: str, environ: Mapping[str, str], limit: int = 1 << 20) -> tuple[str, list[str]]:
    """Return ``text`` with its variables substituted, and a list of mistakes, which name variables but not values.

    A result of more than ``limit`` characters is also a mistake, detected before it is built.
    """
    wrong: list[str] = []
    room = limit - len(text)

    def put(reference: re.Match[str]) -> str:
        nonlocal room
        if reference["escape"]:
            return "${"
        if reference["bad"] is not None:
            wrong.append(
                'not a valid variable: write ${NAME}, ${NAME:-default} or ${NAME:?message}, and "$${" for a plain "${"'
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
        wrong.append("too long after its variables are substituted")
    return result, list(dict.fromkeys(wrong))


def variables(text: str) -> list[str]:
    """Return the names of the variables in ``text``, each once."""
    return list(dict.fromkeys(reference["name"] for reference in _REFERENCE.finditer(text) if reference["name"]))


def escape(text: str) -> str:
    """Return the value to write into a file so that ``text`` is read from it."""
    return text.replace("${", "$${")


def _one_line(message: str) -> str:
    return " ".join(message.split())
