"""The enriched event: the public contract, version 1.

The hot path builds plain dicts of this shape; these models exist to generate the JSON Schema
(``python -m schemas.event > schemas/event.schema.json``) and for readers who want to parse events
with types. Offsets are half-open and count Unicode code points of the original text, so
``text[start:end]`` in Python is the span.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "glossator.event/1"


class _Public(BaseModel):
    model_config = ConfigDict(extra="forbid")


Count = Annotated[int, Field(ge=0)]


class PipelineRef(_Public):
    name: str
    config: str = Field(pattern="^[0-9a-f]{8}$", description="First 8 hex digits of the configuration's SHA-256.")


class Source(_Public):
    topic: str
    partition: Count
    offset: Count
    key: str | None = Field(description="The record's key where it is UTF-8; the output record has it whole.")
    timestamp_ms: int | None = Field(description="Milliseconds since the epoch; null where the broker keeps none.")


class Span(_Public):
    start: Count = Field(description="Code points of the text before the span.")
    end: Count = Field(description="Code points of the text up to the span's end.")
    label: str
    score: float
    text: str | None = Field(default=None, description="Absent with output.text: none.")
    fine: str | None = Field(default=None, description="Of pos: the model's own tag, where it is finer.")


class Spans(_Public):
    spans: list[Span]


class Classification(_Public):
    label: str = Field(description="The label with the highest score.")
    score: float
    scores: dict[str, float] = Field(description="Every label's score.")


class FlaggedLabel(_Public):
    label: str
    score: float
    flagged: bool


class Moderation(_Public):
    flagged: bool = Field(description="Whether any label is.")
    labels: list[FlaggedLabel] = Field(description="The highest score first.")


class Mention(_Public):
    start: Count
    end: Count
    text: str | None = Field(default=None, description="Absent with output.text: none.")


class Cluster(_Public):
    spans: list[Mention] = Field(description="What speaks of one and the same, in the order of the text.")


class Coreference(_Public):
    clusters: list[Cluster] = Field(description="By their first spans.")


class Aspect(_Public):
    aspect: str | None = Field(default=None, description="Absent with output.text: none.")
    start: Count | None = Field(default=None, description="Where it stands, if that is known.")
    end: Count | None = None
    label: str
    score: float
    scores: dict[str, float]


class Aspects(_Public):
    aspects: list[Aspect] = Field(description="In the order asked.")


class Hypothesis(_Public):
    hypothesis: str
    label: str
    score: float
    scores: dict[str, float]


class Hypotheses(_Public):
    hypotheses: list[Hypothesis] = Field(description="In the order of the pipeline file.")


class Paraphrase(_Public):
    paraphrase: bool = Field(description="Whether the score reaches the threshold.")
    score: float


class Similarity(_Public):
    score: float = Field(description="Cosine of the two vectors, -1 to 1.")


class NearDuplicate(_Public):
    duplicate_of: str | None = Field(description="The id of the most similar earlier event, if similar enough.")
    score: float | None = Field(description="Cosine with the most similar earlier event; null where there is none.")


class Answer(_Public):
    start: Count
    end: Count
    score: float
    text: str | None = Field(default=None, description="Absent with output.text: none.")


class Answered(_Public):
    question: str | None = Field(default=None, description="Absent with output.text: none.")
    answer: Answer | None = Field(description="null where the text does not say.")
    null_score: float = Field(description="How likely it is that the text does not say.")
    alternatives: list[Answer] | None = Field(default=None, description="With n_best > 1: the best answers.")


class Answers(_Public):
    answers: list[Answered] = Field(description="In the order of the questions.")


class Embedding(_Public):
    vector: list[float] | list[int]
    scale: float | None = Field(default=None, description="With precision: int8, what to multiply the vector with.")


class Custom(_Public):
    custom: Any = Field(description="What a task of your own says, where none of the other shapes fits.")


ANNOTATIONS: dict[str, type[_Public]] = {
    "sentiment": Classification,
    "text-classification": Classification,
    "language": Classification,
    "zero-shot": Classification,
    "moderation": Moderation,
    "ner": Spans,
    "token-classification": Spans,
    "pos": Spans,
    "pii": Spans,
    "coreference": Coreference,
    "aspect-sentiment": Aspects,
    "paraphrase": Paraphrase,
    "question-answering": Answers,
    "embedding": Embedding,
}
"""The value of ``task`` -> its annotation, where that is always the same."""


class ModelRef(_Public):
    model: str
    revision: str = Field(description="Hub commit, or the SHA-256 of the weights, shortened to 12 hex digits.")


class Notice(_Public):
    """Something a reader should know that is not an error."""

    task: str
    kind: Literal["truncated"]
    kept: Count = Field(description="Code points of the text the task has seen.")
    of: Count = Field(description="Code points the text has.")


class EnrichedEvent(_Public):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Literal["glossator.event/1"] = Field(alias="schema")
    id: str = Field(description="Equal for equal work, so that duplicates can be dropped by it.")
    pipeline: PipelineRef
    source: Source | None = Field(description="null when the text did not come from Kafka (glossator try).")
    event: Any = Field(default=None, description="The input as it came, where it was JSON.")
    text: str | None = Field(default=None, description="What the models read. Absent with output.text: none.")
    annotations: dict[
        str,
        Spans | Classification | Moderation | Coreference | Aspects | Hypotheses | Paraphrase | Similarity
        | NearDuplicate | Answers | Embedding | Custom,
    ]  # fmt: skip
    models: dict[str, ModelRef]
    notices: list[Notice]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the enriched event."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **EnrichedEvent.model_json_schema()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
