"""``--where``: a condition in CEL on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from schemas.conditions import Condition
from schemas.errors import ConditionError
from schemas.pipeline.dependencies import misuses
from schemas.pipeline.wording import did_you_mean


class Filter:
    """Decides which records a verb looks at.

    Attributes:
        source: The condition; empty if everything passes.
        rejected: How many records the condition is false for.
        failures: How many records the condition could not be evaluated for. They do not pass.
    """

    def __init__(self, source: str, known: tuple[str, ...], kinds: Mapping[str, str] | None = None) -> None:
        """Raises click.BadParameter for a wrong condition.

        Args:
            source: The condition.
            known: The variables that it may use.
            kinds: Task name -> the value of ``task``, if the annotations of tasks are among them.
        """
        self.source = source
        self.rejected = self.failures = 0
        self._condition: Condition | None = None
        if not source:
            return
        try:
            self._condition = Condition(source)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        for name in sorted(self._condition.names.difference(known)):
            raise click.BadParameter(f'"{name}" is not known here{did_you_mean(name, known)}; use {", ".join(known)}')
        for message in misuses(self._condition, kinds, is_json=True) if kinds else ():
            raise click.BadParameter(message)

    def passes(self, variables: Callable[[str], Any]) -> bool:
        """Whether the condition holds; ``variables`` returns the value of a variable."""
        if self._condition is None:
            return True
        try:
            passes = self._condition({name: variables(name) for name in self._condition.names})
        except ConditionError:
            self.failures += 1
            return False
        self.rejected += not passes
        return passes


def filter_option(*known: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--where`` with a condition that may use the variables ``known``."""
    return click.option(
        "--where",
        default="",
        metavar="CEL",
        callback=lambda _context, _option, value: Filter(value, known),
        help="Only records for which this condition is true.",
    )
