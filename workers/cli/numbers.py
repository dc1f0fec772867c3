"""Numbers as options of the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number within bounds. Unlike click's own range it does not let ``nan`` through, which no bound excludes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return ``value`` as a float. Raises click.BadParameter if it is not a number or out of bounds."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


def patience_option(seconds: float, when: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--patience`` with the default ``seconds``; ``when`` ends its help."""
    return click.option(
        "--patience",
        type=FiniteRange(0, 86_400),  # librdkafka takes a negative timeout as forever, and ignores signals meanwhile
        default=seconds,
        show_default=True,
        metavar="SECONDS",
        help=f"How long to wait for brokers and topics{when}.",
    )
