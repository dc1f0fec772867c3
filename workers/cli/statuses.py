"""The tables of exit statuses in the help texts, made from the errors."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.errors import GlossatorError

WRONG_COMMAND_LINE = 2
EX_DATAERR = 65
"""Some texts given to ``glossator try`` have errors (sysexits.h)."""


def exit_statuses(others: Mapping[int, str], *kinds: type[GlossatorError]) -> str:
    """Return the section "Exit status" of an epilog, one entry per status in ascending order.

    Args:
        others: Statuses that do not come from an error, or that mean something particular to one verb, and their
            meanings. A wrong command line is always included.
        kinds: The errors that can end the verb, besides GlossatorError. Errors with the same status share an entry.
    """
    meanings: dict[int, list[str]] = {WRONG_COMMAND_LINE: ["wrong command line"]}
    for status, meaning in others.items():
        meanings.setdefault(status, []).append(meaning)
    every: list[type[GlossatorError]] = [GlossatorError, *kinds]
    for kind in every:
        listed = meanings.setdefault(kind.exit_status, [])
        if kind.summary not in listed:
            listed.append(kind.summary)
    lines = [f" {status:3d}  " + f";\n{' ' * 6}".join(meanings[status]) for status in sorted(meanings)]
    return "\n".join(["\b", "Exit status:", *lines, ""])
