"""The enriched event: the public contract, version 1.

Workers build plain dicts of this shape for speed. The models generate the JSON Schema
(``python -m schemas.event > schemas/event.schema.json``) and let consumers parse events with types.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from schemas.annotations import Annotation, Count, Public

SCHEMA = "glossator.event/1"


class PipelineRef(Public):
    """The pipeline that wrote the event."""

    name: str = Field(description="The pipeline's name.")
    config: str = Field(pattern="^[0-9a-f]{8}$", description="First 8 hex digits of the configuration's SHA-256.")


class Source(Public):
    """The record that the event was made from."""

    topic: str = Field(description="The input topic.")
    partition: Count = Field(description="The partition, from 0.")
    offset: Count = Field(description="The offset in the partition.")
    key: str | None = Field(description="The record's key if it is UTF-8; the output record has the original bytes.")
    timestamp_ms: int | None = Field(description="Milliseconds since the epoch; null if the broker keeps none.")


class ModelRef(Public):
    """The model that made an annotation."""

    model: str = Field(description="As in the pipeline file, or the library of a task without a model.")
    revision: str = Field(description="12 hex digits: hub commit, or SHA-256 of the weights. A library's version.")
    precision: Literal["bfloat16", "float16"] | None = Field(
        default=None, description="The type of numbers in the encoder. Absent for float32."
    )


class Notice(Public):
    """Something a consumer should know that is not an error."""

    task: str = Field(description="The name of the task.")
    kind: Literal["truncated"] = Field(description="What happened: the task read only the beginning of the text.")
    kept: Count = Field(description="Code points of the text that the task read.")
    of: Count = Field(description="Code points in the text.")


class Unread(Public):
    """A task whose model has not read the text, because too much of it is unknown to the tokenizer."""

    task: str = Field(description="The name of the task.")
    kind: Literal["unread"] = Field(description="What happened: more of the text is unknown than max_unknown.")
    share: float = Field(description="The share of the text that is unknown, by characters; 0 to 1.")


class Replacement(Public):
    """Values of the input that JSON cannot represent, or that common parsers refuse, were replaced in ``event``."""

    kind: Literal["replaced"] = Field(description="What happened: values of the input are replaced in event.")
    paths: list[str] = Field(description="Where in event, as JSONPath: the first 16, each of up to 200 characters.")
    count: Annotated[int, Field(ge=1)] = Field(description="How many values were replaced.")


class Missing(Public):
    """One of several texts is missing from the input."""

    kind: Literal["missing"] = Field(description="What happened: there is nothing, or null, at a path of input.text.")
    paths: list[str] = Field(description="The paths, as in the pipeline file.")


class Unknown(Public):
    """The input has fields that its schema does not have, so they are not in ``event``."""

    kind: Literal["unknown"] = Field(description="What happened: the schema does not have some fields of the input.")
    bytes: Annotated[int, Field(ge=1)] = Field(description="How many bytes of the input they are.")


class TextField(Public):
    """One of several texts of the input, as a part of ``text``."""

    path: str = Field(description="Where the text is in event, as JSONPath of up to 200 characters.")
    start: Count = Field(description="Number of code points of text before it.")
    end: Count = Field(description="Number of code points up to its end.")


class Disagreement(Public):
    """A task and its shadow that disagree; both have an annotation in the event."""

    task: str = Field(description="The name of the task.")
    shadow: str = Field(description="The name of its shadow, a task whose annotation is in no other topic.")


class EnrichedEvent(Public):
    """An enriched event, as it is written to the output topic."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Literal["glossator.event/1"] = Field(alias="schema", description="The name and version of this contract.")
    id: str = Field(description="Equal for equal work; use it to drop duplicates.")
    pipeline: PipelineRef
    source: Source | None = Field(description="null if the text did not come from Kafka (glossator try).")
    routed: list[str] | None = Field(
        default=None, description="The routes that took the event. Absent if the pipeline has none."
    )
    redacted: dict[str, Count] | None = Field(
        default=None, description="Label -> how many values were replaced. Only with output.text: redacted."
    )
    disagreements: list[Disagreement] | None = Field(
        default=None, description="Which tasks and shadows disagree. Only in the topic output.disagreements."
    )
    event: Any = Field(default=None, description="The input, if it is JSON. Absent with output.text: none.")
    text: str | None = Field(default=None, description="What the models read. Absent with output.text: none.")
    fields: list[TextField] | None = Field(default=None, description="With several texts: which part of text is which.")
    annotations: dict[str, Annotation] = Field(description="Task name -> annotation.")
    models: dict[str, ModelRef] = Field(description="Task name -> model.")
    notices: list[Notice | Unread | Replacement | Missing | Unknown] = Field(description="Usually empty.")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the enriched event."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **EnrichedEvent.model_json_schema()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
