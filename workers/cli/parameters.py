"""Types of options of the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click


class TopicType(click.ParamType[str]):
    """The name of a topic, by Kafka's rule: a broker that is asked for another one gives a worse answer, and later."""

    name = "topic"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return ``value``. Raises click.BadParameter if no topic can have that name."""
        from pydantic import TypeAdapter, ValidationError  # --help must not load them

        from schemas.pipeline.fields import TopicName

        try:
            return TypeAdapter[str](TopicName).validate_python(value)
        except ValidationError:
            self.fail("the name of a topic has 1 to 249 letters, digits, . _ and -, and is not . or ..", param, ctx)


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
