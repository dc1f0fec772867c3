"""The tasks of a pipeline file: what can be asked of a text, and with which settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from schemas.labels import TAXONOMIES
from schemas.pipeline.fields import JsonPath, Name, NotYet, Probability, Strict, Text, refuse

LANGUAGE = r"^[a-z]{2,3}$"
REGION = r"^[A-Z]{2}$"

Merge = Literal["mean", "max"]
Aggregation = Literal["none", "simple", "first", "average", "max"]


def _not_blank(value: str) -> str:
    if value.isspace():
        raise refuse("must not be only white space")
    return value


Short = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_not_blank)]


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise refuse("says the same twice")
    return values


Distinct = AfterValidator(_distinct)
Phrases = Annotated[list[Short], Field(min_length=1, max_length=256), Distinct]


class TaskConfig(Strict):
    """What every task has. ``model`` is a hub id, a local folder, or ``starter``."""

    name: Name
    when: Text | None = None
    """A condition in CEL; events it is false for do not get this annotation."""
    revision: Text | None = None
    long_text: Literal["windows", "truncate"] = "windows"
    max_length: Annotated[int, Field(ge=8, le=131_072)] | None = None
    """Tokens a sequence may have, special tokens included; default: what the model can take."""
    stride: Annotated[int, Field(ge=0)] | None = None
    """Tokens two neighbouring windows share; default: a quarter of ``max_length``."""
    redact: NotYet = None


class ModelTask(TaskConfig):
    """A task that cannot do without a model."""

    model: Text


class ClassificationTask(ModelTask):
    task: Literal["sentiment", "text-classification"]
    multi_label: bool | None = None
    """Sigmoid per label instead of softmax; default: what the checkpoint says of itself."""
    merge: Merge = "mean"
    """How the windows of a long text become one answer; the mean is weighted by length."""


class SpanTask(ModelTask):
    task: Literal["ner", "token-classification"]
    aggregation: Aggregation | None = None
    """Default: what the head recommends of itself (the starter's does), else simple."""
    threshold: Probability = 0.0
    """Spans scored lower are left out."""


class PosTask(ModelTask):
    task: Literal["pos"]
    aggregation: Literal["first", "average", "max"] = "first"


class CoreferenceTask(ModelTask):
    task: Literal["coreference"]


class LanguageTask(TaskConfig):
    task: Literal["language"]
    model: Text | None = None
    """Default: an offline library, which needs no model."""
    languages: (
        Annotated[list[Annotated[str, StringConstraints(pattern=LANGUAGE)]], Field(min_length=2), Distinct] | None
    ) = None
    """ISO 639-1 codes to choose from; default: all it knows."""
    top: Annotated[int, Field(ge=1, le=100)] = 3
    """How many languages ``scores`` names."""


# Which branch of a union is meant is told by the value's shape, so that errors speak of that branch
# alone. The tags' angle brackets keep them apart from keys of the file. A value that is written out is a model.
def _shape(value: Any) -> str:
    return "<map>" if isinstance(value, dict | Strict) else "<scalar>"


def _shape_of_aspects(value: Any) -> str:
    return "<list>" if isinstance(value, list) else _shape(value)


class FromSpans(Strict):
    """Another task's spans."""

    spans: Name
    labels: Annotated[list[Text], Field(min_length=1), Distinct] | None = None
    """Only spans with these labels; default: all."""


Aspects = Annotated[
    Annotated[JsonPath, Tag("<scalar>")] | Annotated[Phrases, Tag("<list>")] | Annotated[FromSpans, Tag("<map>")],
    Discriminator(_shape_of_aspects),
]


class AspectTask(ModelTask):
    task: Literal["aspect-sentiment"]
    aspects: Aspects
    """A list of aspects, the path of a list in the event, or ``{spans: NAME}`` of another task."""
    merge: Merge = "mean"


class NliTask(ModelTask):
    task: Literal["nli"]
    premise: JsonPath | None = None
    """Default: the text."""
    hypothesis: JsonPath | None = None
    hypotheses: Phrases | None = None
    merge: Merge = "max"
    """Over the premise's windows: ``max`` takes the one that entails most."""


def _has_place(value: str) -> str:
    if value.count("{}") != 1:
        raise refuse("must hold {} once, where the label goes")
    return value


class ZeroShotTask(ModelTask):
    task: Literal["zero-shot"]
    labels: Phrases
    template: Annotated[Short, AfterValidator(_has_place)] = "This example is {}."
    multi_label: bool = False
    """Judge each label by itself instead of against the others."""
    merge: Merge = "max"


class ParaphraseTask(ModelTask):
    task: Literal["paraphrase"]
    against: JsonPath
    """The other text, in the event."""
    threshold: Probability = 0.5
    merge: Merge = "max"


class SimilarityTask(ModelTask):
    """Exactly one of ``against``, ``references`` and ``window``."""

    task: Literal["similarity"]
    against: JsonPath | None = None
    """Another text in the event."""
    references: Annotated[dict[Name, Short], Field(min_length=1)] | None = None
    """Fixed texts under a name of your own."""
    window: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The last N events of this worker: finds near duplicates."""
    threshold: Probability = 0.9
    """With ``window``: from this similarity on, an event is a duplicate."""
    pooling: Literal["mean", "cls"] | None = None


class QuestionTask(ModelTask):
    """Exactly one of ``questions`` and ``question``."""

    task: Literal["question-answering"]
    questions: Phrases | None = None
    question: JsonPath | None = None
    """The path of a question, or of a list of questions, in the event."""
    n_best: Annotated[int, Field(ge=1, le=20)] = 1
    max_answer_tokens: Annotated[int, Field(ge=1, le=1000)] = 30
    null_threshold: float = 0.0
    """How much the best answer's logits must exceed those of no answer (SQuAD 2.0's tau)."""
    unanswerable: bool = True
    """Whether there may be no answer; false always takes the best one (SQuAD 1.1)."""


class PiiTask(TaskConfig):
    task: Literal["pii"]
    model: Text | None = None
    """Finds what has no pattern (names, places); without one there are patterns alone."""
    spans: Annotated[list[Name], Field(min_length=1), Distinct] | None = None
    """Other tasks whose spans count as findings."""
    entities: Annotated[list[Text], Field(min_length=1), Distinct] | None = None
    """Which to look for; default: all."""
    regions: (
        Annotated[list[Annotated[str, StringConstraints(pattern=REGION)]], Field(min_length=1), Distinct] | None
    ) = None
    """Whose phone numbers are understood without a country code (ISO 3166); default: US and GB."""
    recognizers: Text | None = None
    """A file of recognisers of your own, in Presidio's YAML."""
    threshold: Probability = 0.5
    aggregation: Aggregation | None = None


def _known_taxonomy(value: str) -> str:
    names = ["model", *TAXONOMIES]
    if value not in names:
        raise refuse(f"must be one of {', '.join(names)}, or a map of the model's labels to yours")
    return value


Threshold = Annotated[
    Annotated[Probability, Tag("<scalar>")] | Annotated[dict[str, Probability], Tag("<map>")], Discriminator(_shape)
]
Taxonomy = Annotated[
    Annotated[str, AfterValidator(_known_taxonomy), Tag("<scalar>")] | Annotated[dict[str, Text], Tag("<map>")],
    Discriminator(_shape),
]


class ModerationTask(ModelTask):
    task: Literal["moderation"]
    threshold: Threshold | None = None
    """One for all labels, or one per label (``default`` for the rest); default: the model's
    own calibrated thresholds, else 0.5."""
    taxonomy: Taxonomy = "standard"
    """``standard``, ``model`` (labels as the model names them), or a map of your own."""
    merge: Merge = "max"


class EmbeddingTask(ModelTask):
    task: Literal["embedding"]
    pooling: Literal["mean", "cls"] | None = None
    """Default: what the checkpoint's sentence-transformers files say, else mean."""
    normalize: bool = True
    dimensions: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Keep the first so many (Matryoshka); default: all."""
    precision: Literal["float32", "float16", "int8"] = "float32"


class CustomTask(TaskConfig):
    """A task of the user's own."""

    task: Literal["custom"]
    use: Text
    """``package.module:Class``, or the name of an entry point in the group ``glossator.tasks``."""
    model: Text | None = None
    options: dict[str, Any] | None = None
    """Handed to the class as they are."""


AnyTask = Annotated[
    ClassificationTask
    | SpanTask
    | PosTask
    | CoreferenceTask
    | LanguageTask
    | AspectTask
    | NliTask
    | ZeroShotTask
    | ParaphraseTask
    | SimilarityTask
    | QuestionTask
    | PiiTask
    | ModerationTask
    | EmbeddingTask
    | CustomTask,
    Field(discriminator="task"),
]
