"""The answers of services that ``output.shape`` can write, as pydantic models.

Only names, types and what may be absent are theirs; see ``docs/shapes.md`` for what is in them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    """The base of all parts of an answer: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class Score(_Answer):
    """A score of the Perspective API."""

    value: Annotated[float, Field(ge=0, le=1)]
    type: Literal["PROBABILITY"]


class SpanScore(_Answer):
    """The score of a part of the text; ``begin`` and ``end`` count UTF-16 units."""

    begin: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    score: Score


class AttributeScores(_Answer):
    """The scores of one attribute."""

    spanScores: list[SpanScore]  # noqa: N815, the service's name
    summaryScore: Score  # noqa: N815


class PerspectiveAnswer(_Answer):
    """``AnalyzeCommentResponse`` of the Perspective API."""

    attributeScores: dict[str, AttributeScores]  # noqa: N815
    languages: list[str] | None = None
    detectedLanguages: list[str] | None = None  # noqa: N815
    clientToken: str | None = None  # noqa: N815


class ModerationResult(_Answer):
    """One result of OpenAI's moderation."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text"]]]


class OpenAIAnswer(_Answer):
    """The answer of OpenAI's moderation endpoint."""

    id: str
    model: str
    results: Annotated[list[ModerationResult], Field(max_length=1)]


class OspreyActionData(_Answer):
    """What an action of Osprey is, and the fields that its rules see."""

    action_id: int | str
    action_name: str
    data: dict[str, Any]


class OspreyAction(_Answer):
    """An action as Osprey reads it from its topic."""

    send_time: str
    data: OspreyActionData


ANSWERS: dict[str, type[_Answer]] = {"perspective": PerspectiveAnswer, "openai": OpenAIAnswer, "osprey": OspreyAction}
"""The name of a shape -> its answers."""
