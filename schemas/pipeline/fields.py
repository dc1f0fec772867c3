"""The types that fields of a pipeline file are built from, and how a value is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

REFUSED = "refused"
"""The type of every validation error whose message is ours: it quotes no value, so it may be shown."""


def refuse(reason: str) -> PydanticCustomError:
    """Return the error to raise in a validator; ``reason`` is shown after the field's path and must quote no value."""
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def _not_yet(value: Any) -> Any:
    raise refuse("not yet supported")


def later(*names: str) -> BeforeValidator:
    """Return a validator that refuses ``names``, values reserved for later, as "not yet supported"."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in names:
            raise refuse(f'"{value}" is not yet supported')
        return value

    return BeforeValidator(check)


NotYet = Annotated[Any, BeforeValidator(_not_yet)]
"""A field that is reserved for later: any value is refused."""


class Strict(BaseModel):
    """The base of all models of the pipeline file.

    Unknown fields are mistakes, nothing is converted, numbers are finite, instances are frozen, and no error quotes a
    value, because any value may be a secret.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
# Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic).
TOPIC = r"^[A-Za-z0-9._-]+$"
DEVICE = r"^(auto|cpu|cuda(:[0-9]{1,3})?)$"

Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=64)]
PipelineName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=200)]


def _no_dots(value: str) -> str:
    if value in {".", ".."}:
        raise refuse("a topic cannot be named . or ..")
    return value


TopicName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=249), AfterValidator(_no_dots)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]|\[(?:'([^']+)'|\"([^\"]+)\")\]")


def parse_path(path: str) -> list[str | int]:
    """Split a path into its steps: names of object members and indices of lists.

    Paths use the part of JSONPath (RFC 9535) that names exactly one place: ``$``, ``.name``, ``['any name']`` and
    ``[3]``. Raises ValueError with the first character that does not belong to a path.
    """
    if not path.startswith("$"):
        raise ValueError("must start with $, for example $.body")
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"not a path from character {at + 1} on; use $.name, $['any name'] or $[0]")
        plain, index, single, double = match.groups()
        steps.append(int(index) if index is not None else plain or single or double)
        at = match.end()
    return steps


def follow(steps: Sequence[str | int], event: Any) -> Any:
    """Return the value in ``event`` at the end of ``steps``; a number needs a list, a name needs an object.

    Raises LookupError if there is no such place.
    """
    value = event
    for step in steps:
        fits = isinstance(value, list if isinstance(step, int) else dict)
        if not fits:
            raise LookupError(step)
        value = value[step]
    return value


def _path(value: str) -> str:
    try:
        parse_path(value)
    except ValueError as error:
        raise refuse(str(error)) from error
    return value


JsonPath = Annotated[str, AfterValidator(_path)]
