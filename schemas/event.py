"""The enriched event: the public contract, version 1.

The hot path builds plain dicts of this shape; these models exist to generate the JSON Schema
(``schemas/event.schema.json``) and for readers who want to parse events with types. Offsets are
half-open and count Unicode code points of the original text, so ``text[start:end]`` in Python
is the span.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "glossator.event/1"


class _Public(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PipelineRef(_Public):
    name: str
    config: str = Field(description="First 8 hex digits of the configuration's SHA-256.")


class Source(_Public):
    topic: str
    partition: int
    offset: int
    key: str | None = Field(description="The record's key where it is UTF-8, else null; the output record keeps it whole.")
    timestamp_ms: int | None


class Span(_Public):
    start: int
    end: int
    label: str
    score: float
    text: str | None = Field(default=None, description="Absent with output.text: none.")


class Spans(_Public):
    spans: list[Span]


class Classification(_Public):
    label: str
    score: float
    scores: dict[str, float]


class FlaggedLabel(_Public):
    label: str
    score: float
    flagged: bool


class Moderation(_Public):
    flagged: bool
    labels: list[FlaggedLabel]


class Embedding(_Public):
    vector: list[float]


class ModelRef(_Public):
    model: str
    revision: str = Field(description="Hub commit, or the SHA-256 of the weights, shortened to 12 hex digits.")


class Notice(_Public):
    """Something a reader should know that is not an error."""

    task: str
    kind: Literal["truncated"]
    kept: int = Field(description="Code points of the text the task has seen.")
    of: int = Field(description="Code points the text has.")


class EnrichedEvent(_Public):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Literal["glossator.event/1"] = Field(alias="schema")
    id: str = Field(description="topic-partition-offset-configuration: equal for equal work, so duplicates can be dropped.")
    pipeline: PipelineRef
    source: Source | None = Field(description="null when the text did not come from Kafka (glossator try).")
    event: Any = Field(default=None, description="The input as it came, where it was JSON.")
    text: str | None = None
    annotations: dict[str, Spans | Classification | Moderation | Embedding]
    models: dict[str, ModelRef]
    notices: list[Notice]
