"""The models of ``output.shape``: what a topic gets in place of the enriched event.

A shape is written as its name, or as a mapping of its name to its options: ``perspective``, or
``{perspective: {tasks: [safety]}}``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticKnownError

from schemas.pipeline.fields import Name, Strict, Text, refuse

ShapeName = Literal["event", "perspective", "openai", "osprey"]
SHAPES: tuple[str, ...] = get_args(ShapeName)

ShapeTasks = Annotated[list[Name], Field(min_length=1)]


class Perspective(Strict):
    """The answer of the Perspective API about the text."""

    tasks: ShapeTasks | None = None
    """The tasks whose scores are in the answer; if several give the same attribute, the first counts. Default: the one
    that can give them."""
    languages: Name | None = None
    """The task that detects languages. Default: the one there is, if any."""


class OpenAI(Strict):
    """The answer of OpenAI's moderation about the text."""

    tasks: ShapeTasks | None = None
    """The tasks whose scores are in the answer; if several give the same category, the first counts. Default: the one
    that can give them."""
    complete: bool = False
    """Also write the categories that no task gives, as false, with score 0 and no input types."""


class Osprey(Strict):
    """An action of Osprey that has the enriched event in its data."""

    action: Annotated[Text, Field(max_length=100)] | None = None
    """The ``action_name`` of events that are no actions yet, at most 100 characters. Default: such events become dead
    letters."""


class Shape(Strict):
    """What a topic gets, if not the enriched event: exactly one shape with its options."""

    perspective: Perspective | None = None
    """The answer of the Perspective API."""
    openai: OpenAI | None = None
    """The answer of OpenAI's moderation."""
    osprey: Osprey | None = None
    """An action of Osprey."""

    @model_validator(mode="after")
    def _is_one(self) -> Shape:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refuse("must name exactly one shape")
        return self

    @property
    def name(self) -> str:
        """The name of the shape."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)


def _spelled_out(value: Any) -> Any:
    """Turn ``perspective`` into ``{perspective: {}}``, so that both are the same configuration."""
    if value in ("event", {"event": {}}):
        return "event"
    if not isinstance(value, str):
        return value
    if value not in SHAPES:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(SHAPES)})
    return {value: {}}


def _is_mapping(value: Any) -> str:
    return "<map>" if isinstance(value, dict | Strict) else "<scalar>"


AnyShape = Annotated[
    Annotated[Literal["event"], Tag("<scalar>")] | Annotated[Shape, Tag("<map>")],
    Discriminator(_is_mapping),
    BeforeValidator(_spelled_out, json_schema_input_type=ShapeName | Shape),
]
"""A shape as it may be written: its name, or a mapping of its name to its options."""
