"""The enriched event: the public contract, version 1.

Workers build plain dicts of this shape for speed. The models generate the JSON Schema
(``python -m schemas.event > schemas/event.schema.json``) and let consumers parse events with types. Offsets are
half-open and count Unicode code points of ``text``, so ``text[start:end]`` in Python is the span, or the unit of
``output.offset_unit``.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "glossator.event/1"


class _Public(BaseModel):
    """The base of all parts of the event: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


Count = Annotated[int, Field(ge=0)]


class PipelineRef(_Public):
    """The pipeline that wrote the event."""

    name: str = Field(description="The pipeline's name.")
    config: str = Field(pattern="^[0-9a-f]{8}$", description="First 8 hex digits of the configuration's SHA-256.")


class Source(_Public):
    """The record that the event was made from."""

    topic: str = Field(description="The input topic.")
    partition: Count = Field(description="The partition, from 0.")
    offset: Count = Field(description="The offset in the partition.")
    key: str | None = Field(description="The record's key if it is UTF-8; the output record has the original bytes.")
    timestamp_ms: int | None = Field(description="Milliseconds since the epoch; null if the broker keeps none.")


class Span(_Public):
    """A labelled part of the text."""

    start: Count = Field(description="Number of code points before the span.")
    end: Count = Field(description="Number of code points up to the end of the span.")
    label: str = Field(description="What the span is.")
    score: float = Field(description="How certain the model is, or how much the pattern indicates; 0 to 1.")
    text: str | None = Field(default=None, description="The span's text. Absent with output.text: none.")
    fine: str | None = Field(default=None, description="For pos: the model's own tag, if it is more specific.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Spans(_Public):
    """The annotation of ner, token-classification, pos and pii."""

    spans: list[Span] = Field(description="In the order of the text.")


class Classification(_Public):
    """The annotation of tasks that choose one label, or score several."""

    label: str = Field(description="The label with the highest score.")
    score: float = Field(description="The score of that label.")
    scores: dict[str, float] = Field(description="The score of every label.")


class FlaggedLabel(_Public):
    """One category of a moderation."""

    label: str = Field(description="The category, in the names of the taxonomy.")
    score: float = Field(description="How certain the model is, 0 to 1.")
    flagged: bool = Field(description="Whether the score reaches the threshold of the label.")


class JudgedSentence(_Public):
    """The judgement of one sentence, which was read without the others."""

    start: Count = Field(description="Number of code points before the sentence.")
    end: Count = Field(description="Number of code points up to the end of the sentence.")
    flagged: bool = Field(description="Whether a score reaches the threshold of its label.")
    scores: dict[str, float] = Field(description="The score of every label.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Moderation(_Public):
    """The annotation of moderation."""

    flagged: bool = Field(description="Whether any label is flagged.")
    labels: list[FlaggedLabel] = Field(description="In descending order of the score.")
    sentences: list[JudgedSentence] | None = Field(
        default=None, description="With sentences: true, in the order of the text."
    )


class Mention(_Public):
    """A part of the text that refers to something."""

    start: Count = Field(description="Number of code points before the mention.")
    end: Count = Field(description="Number of code points up to the end of the mention.")
    text: str | None = Field(default=None, description="The mention's text. Absent with output.text: none.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Cluster(_Public):
    """Mentions of the same thing."""

    spans: list[Mention] = Field(description="All mentions of the same thing, in the order of the text.")


class Coreference(_Public):
    """The annotation of coreference."""

    clusters: list[Cluster] = Field(description="In the order of their first mentions.")


class Aspect(_Public):
    """The sentiment towards one aspect."""

    aspect: str | None = Field(default=None, description="The aspect. Absent with output.text: none.")
    start: Count | None = Field(default=None, description="Where the aspect starts in the text, if known.")
    end: Count | None = Field(default=None, description="Where the aspect ends in the text, if known.")
    field: str | None = Field(default=None, description="With start: the path of the text, if there may be several.")
    label: str = Field(description="The label with the highest score.")
    score: float = Field(description="The score of that label.")
    scores: dict[str, float] = Field(description="The score of every label.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Aspects(_Public):
    """The annotation of aspect-sentiment."""

    aspects: list[Aspect] = Field(description="In the order in which they were given.")


class Hypothesis(_Public):
    """What the text means for one hypothesis."""

    hypothesis: str = Field(description="The hypothesis, as in the pipeline file.")
    label: str = Field(description="The label with the highest score.")
    score: float = Field(description="The score of that label.")
    scores: dict[str, float] = Field(description="The score of every label.")


class Hypotheses(_Public):
    """The annotation of nli with hypotheses."""

    hypotheses: list[Hypothesis] = Field(description="In the order of the pipeline file.")


class Paraphrase(_Public):
    """The annotation of paraphrase."""

    paraphrase: bool = Field(description="Whether the score reaches the threshold.")
    score: float = Field(description="The probability that the two texts have the same meaning.")


class Similarity(_Public):
    """The annotation of similarity with another text of the event."""

    score: float = Field(description="Cosine of the two vectors, -1 to 1.")


class NearDuplicate(_Public):
    """The annotation of similarity with earlier events."""

    duplicate_of: str | None = Field(description="The id of the most similar earlier event, if similar enough.")
    score: float | None = Field(description="Cosine with the most similar earlier event; null if there is none.")


class Answer(_Public):
    """A span of the text that answers a question."""

    start: Count = Field(description="Number of code points before the answer.")
    end: Count = Field(description="Number of code points up to the end of the answer.")
    score: float = Field(description="The probability of the answer, comparable with null_score.")
    text: str | None = Field(default=None, description="The answer's text. Absent with output.text: none.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Answered(_Public):
    """One question with its answers."""

    question: str | None = Field(default=None, description="The question. Absent with output.text: none.")
    answer: Answer | None = Field(description="The best answer; null if the text has none.")
    null_score: float = Field(description="The probability that the text has no answer.")
    alternatives: list[Answer] | None = Field(default=None, description="With n_best > 1: the best answers.")


class Answers(_Public):
    """The annotation of question-answering."""

    answers: list[Answered] = Field(description="In the order of the questions.")


class Embedding(_Public):
    """The annotation of embedding."""

    vector: list[float] | list[int] = Field(description="The vector of the text.")
    scale: float | None = Field(default=None, description="With precision: int8, the factor for the vector.")


class Custom(_Public):
    """The annotation of a custom task that fits none of the other shapes."""

    custom: Any = Field(description="Whatever the task returned.")


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
"""The value of ``task`` -> its annotation, for tasks that always have the same one."""


class ModelRef(_Public):
    """The model that made an annotation."""

    model: str = Field(description="As in the pipeline file, or the library of a task without a model.")
    revision: str = Field(description="12 hex digits: hub commit, or SHA-256 of the weights. A library's version.")
    precision: Literal["bfloat16", "float16"] | None = Field(
        default=None, description="The type of numbers in the encoder. Absent for float32."
    )


class Notice(_Public):
    """Something a consumer should know that is not an error."""

    task: str = Field(description="The name of the task.")
    kind: Literal["truncated"] = Field(description="What happened: the task read only the beginning of the text.")
    kept: Count = Field(description="Code points of the text that the task read.")
    of: Count = Field(description="Code points in the text.")


class Unread(_Public):
    """A task whose model has not read the text, because too much of it is unknown to the tokenizer."""

    task: str = Field(description="The name of the task.")
    kind: Literal["unread"] = Field(description="What happened: more of the text is unknown than max_unknown.")
    share: float = Field(description="The share of the text that is unknown, by characters; 0 to 1.")


class Replacement(_Public):
    """Values of the input that JSON cannot represent, or that common parsers refuse, were replaced in ``event``."""

    kind: Literal["replaced"] = Field(description="What happened: values of the input are replaced in event.")
    paths: list[str] = Field(description="Where in event, as JSONPath: the first 16, each of up to 200 characters.")
    count: Annotated[int, Field(ge=1)] = Field(description="How many values were replaced.")


class Missing(_Public):
    """One of several texts is missing from the input."""

    kind: Literal["missing"] = Field(description="What happened: there is nothing, or null, at a path of input.text.")
    paths: list[str] = Field(description="The paths, as in the pipeline file.")


class Unknown(_Public):
    """The input has fields that its schema does not have, so they are not in ``event``."""

    kind: Literal["unknown"] = Field(description="What happened: the schema does not have some fields of the input.")
    bytes: Annotated[int, Field(ge=1)] = Field(description="How many bytes of the input they are.")


class TextField(_Public):
    """One of several texts of the input, as a part of ``text``."""

    path: str = Field(description="Where the text is in event, as JSONPath of up to 200 characters.")
    start: Count = Field(description="Number of code points of text before it.")
    end: Count = Field(description="Number of code points up to its end.")


class Disagreement(_Public):
    """A task and its shadow that disagree; both have an annotation in the event."""

    task: str = Field(description="The name of the task.")
    shadow: str = Field(description="The name of its shadow, a task whose annotation is in no other topic.")


class EnrichedEvent(_Public):
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
    annotations: dict[
        str,
        Spans | Classification | Moderation | Coreference | Aspects | Hypotheses | Paraphrase | Similarity
        | NearDuplicate | Answers | Embedding | Custom,
    ] = Field(description="Task name -> annotation.")  # fmt: skip
    models: dict[str, ModelRef] = Field(description="Task name -> model.")
    notices: list[Notice | Unread | Replacement | Missing | Unknown] = Field(description="Usually empty.")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the enriched event."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **EnrichedEvent.model_json_schema()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
