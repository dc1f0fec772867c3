"""The annotations of an enriched event: what each kind of task says about a text.

Offsets are half-open. They count Unicode code points of the event's text, so that ``text[start:end]`` in Python is the
span, unless ``output.offset_unit`` names another unit.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class Public(BaseModel):
    """The base of all parts of an enriched event: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


Count = Annotated[int, Field(ge=0)]


class Span(Public):
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


class Spans(Public):
    """The annotation of ner, token-classification, pos and pii."""

    spans: list[Span] = Field(description="In the order of the text.")


class Classification(Public):
    """The annotation of tasks that choose one label, or score several."""

    label: str = Field(description="The label with the highest score.")
    score: float = Field(description="The score of that label.")
    scores: dict[str, float] = Field(description="The score of every label.")


class FlaggedLabel(Public):
    """One category of a moderation."""

    label: str = Field(description="The category, in the names of the taxonomy.")
    score: float = Field(description="How certain the model is, 0 to 1.")
    flagged: bool = Field(description="Whether the score reaches the threshold of the label.")


class JudgedSentence(Public):
    """The judgement of one sentence, which was read without the others."""

    start: Count = Field(description="Number of code points before the sentence.")
    end: Count = Field(description="Number of code points up to the end of the sentence.")
    flagged: bool = Field(description="Whether a score reaches the threshold of its label.")
    scores: dict[str, float] = Field(description="The score of every label.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Moderation(Public):
    """The annotation of moderation."""

    flagged: bool = Field(description="Whether any label is flagged.")
    labels: list[FlaggedLabel] = Field(description="In descending order of the score.")
    sentences: list[JudgedSentence] | None = Field(
        default=None, description="With sentences: true, in the order of the text."
    )


class Mention(Public):
    """A part of the text that refers to something."""

    start: Count = Field(description="Number of code points before the mention.")
    end: Count = Field(description="Number of code points up to the end of the mention.")
    text: str | None = Field(default=None, description="The mention's text. Absent with output.text: none.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Cluster(Public):
    """Mentions of the same thing."""

    spans: list[Mention] = Field(description="All mentions of the same thing, in the order of the text.")


class Coreference(Public):
    """The annotation of coreference."""

    clusters: list[Cluster] = Field(description="In the order of their first mentions.")


class Aspect(Public):
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


class Aspects(Public):
    """The annotation of aspect-sentiment."""

    aspects: list[Aspect] = Field(description="In the order in which they were given.")


class Hypothesis(Public):
    """What the text means for one hypothesis."""

    hypothesis: str = Field(description="The hypothesis, as in the pipeline file.")
    label: str = Field(description="The label with the highest score.")
    score: float = Field(description="The score of that label.")
    scores: dict[str, float] = Field(description="The score of every label.")


class Hypotheses(Public):
    """The annotation of nli with hypotheses."""

    hypotheses: list[Hypothesis] = Field(description="In the order of the pipeline file.")


class Paraphrase(Public):
    """The annotation of paraphrase."""

    paraphrase: bool = Field(description="Whether the score reaches the threshold.")
    score: float = Field(description="The probability that the two texts have the same meaning.")


class Similarity(Public):
    """The annotation of similarity with another text of the event."""

    score: float = Field(description="Cosine of the two vectors, -1 to 1.")


class NearDuplicate(Public):
    """The annotation of similarity with earlier events."""

    duplicate_of: str | None = Field(description="The id of the most similar earlier event, if similar enough.")
    score: float | None = Field(description="Cosine with the most similar earlier event; null if there is none.")


class Answer(Public):
    """A span of the text that answers a question."""

    start: Count = Field(description="Number of code points before the answer.")
    end: Count = Field(description="Number of code points up to the end of the answer.")
    score: float = Field(description="The probability of the answer, comparable with null_score.")
    text: str | None = Field(default=None, description="The answer's text. Absent with output.text: none.")
    field: str | None = Field(default=None, description="The path of the text it is in, if there may be several.")
    original_start: Count | None = Field(default=None, description="With output.original_offsets: start as read.")
    original_end: Count | None = Field(default=None, description="With output.original_offsets: end as read.")


class Answered(Public):
    """One question with its answers."""

    question: str | None = Field(default=None, description="The question. Absent with output.text: none.")
    answer: Answer | None = Field(description="The best answer; null if the text has none.")
    null_score: float = Field(description="The probability that the text has no answer.")
    alternatives: list[Answer] | None = Field(default=None, description="With n_best > 1: the best answers.")


class Answers(Public):
    """The annotation of question-answering."""

    answers: list[Answered] = Field(description="In the order of the questions.")


class Embedding(Public):
    """The annotation of embedding."""

    vector: list[float] | list[int] = Field(description="The vector of the text.")
    scale: float | None = Field(default=None, description="With precision: int8, the factor for the vector.")


class Custom(Public):
    """The annotation of a custom task that fits none of the other shapes."""

    custom: Any = Field(description="Whatever the task returned.")


Annotation: TypeAlias = (
    Spans | Classification | Moderation | Coreference | Aspects | Hypotheses | Paraphrase | Similarity
    | NearDuplicate | Answers | Embedding | Custom
)  # fmt: skip
"""Any annotation."""

ANNOTATIONS: dict[str, type[Public]] = {
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
