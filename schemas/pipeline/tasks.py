"""The tasks of a pipeline file: what can be asked of a text, and the settings of each task."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from schemas.pipeline.fields import Distinct, JsonPath, Name, Probability, Strict, Text
from schemas.pipeline.task_fields import (
    LANGUAGE,
    REGION,
    Aggregation,
    Merge,
    Phrases,
    Short,
    Taxonomy,
    Template,
    Threshold,
    scalar_or_map,
)


class TaskConfig(Strict):
    """The settings that all tasks share."""

    name: Name
    """The key of the annotation in the event; unique within the file, at most 64 characters."""
    when: Text | None = None
    """A condition in CEL; only events for which it is true get the annotation. Default: all events."""
    shadow: Name | None = None
    """The name of a task of the same kind that this one is compared with: its own annotation is in no event. Default:
    none, the task annotates events."""
    revision: Text | None = None
    """The commit of a hub model; default: its current main branch, which can change."""
    long_text: Literal["windows", "truncate"] = "windows"
    """What to do with a text that is longer than the model takes: merge overlapping windows, or cut it off."""
    max_length: Annotated[int, Field(ge=8, le=131_072)] | None = None
    """Tokens in a sequence, special tokens included, 8 to 131,072; default: what the model takes."""
    stride: Annotated[int, Field(ge=0)] | None = None
    """Tokens that neighbouring windows share, at most ``max_length`` - 4; default: a quarter of ``max_length``."""
    max_unknown: Probability = 0.5
    """The largest share of a text, by characters, that may be unknown to the model's tokenizer, 0 to 1; a larger one
    gives the event a notice."""
    unknown_text: Literal["notice", "leave_out", "dead_letter"] = "notice"
    """What to do with an event if more than ``max_unknown`` of its text is unknown: only add the notice, also leave the
    annotation out, or make the event a dead letter."""


class ModelTask(TaskConfig):
    """The settings of a task that needs a model."""

    model: Text
    """A model of the Hugging Face hub, a local folder, or ``starter``."""


class Ensemble(Strict):
    """How the annotations of several tasks become one."""

    of: Annotated[list[Name], Field(min_length=2, max_length=16), Distinct]
    """The names of 2 to 16 other tasks, its members; their order counts with ``rule: last``."""
    rule: Literal["max", "mean", "last"]
    """Which score a label gets from the members that ran and have it: the highest, the mean, or that of the last."""
    weights: dict[str, Annotated[float, Field(ge=0.001, le=1000)]] | None = None
    """With ``rule: mean``: the weights of members, 0.001 to 1000; default: 1 for each."""


class ScoringTask(TaskConfig):
    """The settings of a task that needs exactly one of ``model`` and ``ensemble``."""

    model: Text | None = None
    """A model of the Hugging Face hub, a local folder, or ``starter``."""
    ensemble: Ensemble | None = None
    """Combine the annotations of other tasks instead of running a model; default: none."""


class ClassificationTask(ScoringTask):
    """Assign labels to the text, with a score for each."""

    task: Literal["sentiment", "text-classification"]
    multi_label: bool | None = None
    """Score each label on its own (sigmoid) instead of against the others (softmax); default: as the checkpoint is
    configured."""
    merge: Merge = "mean"
    """How the windows of a long text are combined."""


class SpanTask(ModelTask):
    """Find labelled spans in the text."""

    task: Literal["ner", "token-classification"]
    aggregation: Aggregation | None = None
    """How tokens become spans; default: what the head recommends, as the starter's does, otherwise ``simple``."""
    threshold: Threshold = 0.0
    """Spans with a lower score are dropped: one threshold for all labels, or one per label with ``default`` for the
    rest, which is 0 if it is not given."""
    sentences: bool = False
    """Read each sentence on its own instead of the whole text."""
    vote: bool | None = None
    """Decide together on equal names of a text: they get one label, and are found at all of their places or at none;
    default: what the head recommends, as the starter's does, otherwise no."""


class PosTask(ModelTask):
    """Find the part of speech of every word."""

    task: Literal["pos"]
    aggregation: Literal["first", "average", "max"] = "first"
    """Which of a word's tokens decides: the first, the average of all, or the most certain one."""


class CoreferenceTask(ModelTask):
    """Group the mentions that refer to the same thing."""

    task: Literal["coreference"]


class LanguageTask(TaskConfig):
    """Detect the language of the text."""

    task: Literal["language"]
    model: Text | None = None
    """A classifier whose labels are language codes; default: an offline library that needs no model."""
    languages: (
        Annotated[list[Annotated[str, StringConstraints(pattern=LANGUAGE)]], Field(min_length=2), Distinct] | None
    ) = None
    """ISO 639-1 codes to choose from, at least 2; default: all that are known."""
    top: Annotated[int, Field(ge=1, le=100)] = 3
    """How many languages ``scores`` lists, 1 to 100."""
    threshold: Probability | None = None
    """If no language has this probability, the label is ``und``; default: with a model 0, without one 0.3, and ``und``
    also if another language would win once common languages are preferred."""


def _shape_of_aspects(value: Any) -> str:
    return "<list>" if isinstance(value, list) else scalar_or_map(value)


class FromSpans(Strict):
    """Take the aspects from the spans of another task."""

    spans: Name
    """The name of the other task."""
    labels: Annotated[list[Text], Field(min_length=1), Distinct] | None = None
    """Use only spans with these labels; default: all."""


Aspects = Annotated[
    Annotated[JsonPath, Tag("<scalar>")] | Annotated[Phrases, Tag("<list>")] | Annotated[FromSpans, Tag("<map>")],
    Discriminator(_shape_of_aspects),
]


class AspectTask(ModelTask):
    """Determine the sentiment towards each of several aspects."""

    task: Literal["aspect-sentiment"]
    aspects: Aspects
    """1 to 256 fixed aspects, the path of a list in the event, or ``{spans: NAME}`` of another task."""
    merge: Merge = "mean"
    """How the windows of a long text are combined."""


class NliTask(ModelTask):
    """Decide whether a premise entails a hypothesis; needs exactly one of ``hypothesis`` and ``hypotheses``."""

    task: Literal["nli"]
    premise: JsonPath | None = None
    """The path of the premise in the event; default: the text."""
    hypothesis: JsonPath | None = None
    """The path of the hypothesis in the event."""
    hypotheses: Phrases | None = None
    """1 to 256 fixed hypotheses."""
    merge: Merge = "max"
    """How the windows of a long premise are combined; ``max`` takes the window that entails most."""


class ZeroShotTask(ModelTask):
    """Classify the text by labels that the model was not trained on."""

    task: Literal["zero-shot"]
    labels: Phrases
    """1 to 256 labels."""
    template: Template = "This example is {}."
    """The hypothesis for a label, with ``{}`` in its place."""
    multi_label: bool = False
    """Judge each label on its own instead of against the others."""
    merge: Merge = "max"
    """How the windows of a long text are combined, for each label; ``max`` takes the window that entails most."""


class ParaphraseTask(ModelTask):
    """Decide whether two texts have the same meaning."""

    task: Literal["paraphrase"]
    against: JsonPath
    """The path of the other text in the event."""
    threshold: Probability = 0.5
    """The lowest score of a paraphrase."""
    merge: Merge = "max"
    """How the windows of a long text are combined."""


class SimilarityTask(ModelTask):
    """Measure how similar texts are; needs exactly one of ``against``, ``references`` and ``window``."""

    task: Literal["similarity"]
    against: JsonPath | None = None
    """The path of another text in the event."""
    references: Annotated[dict[Name, Short], Field(min_length=1)] | None = None
    """Fixed texts to compare with, each with a name."""
    window: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Events of this worker to compare with, the latest 1 to 100,000: finds near duplicates."""
    threshold: Probability = 0.9
    """With ``window``: the lowest cosine of a duplicate."""
    pooling: Literal["mean", "cls"] | None = None
    """How token vectors become one vector; default: as the checkpoint is configured, otherwise ``mean``."""


class QuestionTask(ModelTask):
    """Find answers to questions in the text; needs exactly one of ``questions`` and ``question``."""

    task: Literal["question-answering"]
    questions: Phrases | None = None
    """1 to 256 fixed questions."""
    question: JsonPath | None = None
    """The path of a question, or of a list of questions, in the event."""
    n_best: Annotated[int, Field(ge=1, le=20)] = 1
    """How many answers to report, 1 to 20."""
    max_answer_tokens: Annotated[int, Field(ge=1, le=1000)] = 30
    """Tokens in the longest answer, 1 to 1000."""
    null_threshold: float = 0.0
    """By how much the logits of the best answer must exceed those of no answer (the tau of SQuAD 2.0)."""
    window_margin: Annotated[float, Field(ge=0, le=100)] | None = None
    """For long texts: compare each answer with no answer in its own window, and require so much more, times the natural
    logarithm of the number of windows, 0 to 100; default: what the head is calibrated for, as the starter's is,
    otherwise the lowest score of no answer counts. Without effect if ``unanswerable`` is false."""
    unanswerable: bool = True
    """Whether a question may have no answer; false always takes the best answer (SQuAD 1.1)."""


class PiiTask(TaskConfig):
    """Find what identifies a person."""

    task: Literal["pii"]
    model: Text | None = None
    """A token classifier for what has no pattern, such as names and places; default: patterns only."""
    spans: Annotated[list[Name], Field(min_length=1), Distinct] | None = None
    """Names of other tasks whose spans count as findings; default: none."""
    entities: Annotated[list[Text], Field(min_length=1), Distinct] | None = None
    """Entities to look for, by Presidio's names; default: all."""
    regions: (
        Annotated[list[Annotated[str, StringConstraints(pattern=REGION)]], Field(min_length=1), Distinct] | None
    ) = None
    """Countries (ISO 3166) whose phone numbers are recognised without a country code; default: US and GB."""
    recognizers: Text | None = None
    """A file with more recognisers, in Presidio's YAML; default: none."""
    threshold: Threshold = 0.5
    """Findings with a lower score are dropped: one threshold for all entities, or one per entity with ``default`` for
    the rest, which is 0.5 if it is not given."""
    aggregation: Aggregation | None = None
    """With ``model``: how tokens become spans; default: what the head recommends, otherwise ``simple``."""


class ModerationTask(ScoringTask):
    """Flag the categories that a text falls into."""

    task: Literal["moderation"]
    threshold: Threshold | None = None
    """The lowest score of a flagged label: one for all labels, or one per label with ``default`` for the rest;
    default: the model's calibrated thresholds, otherwise 0.5; of an ensemble, what its members flag."""
    taxonomy: Taxonomy = "standard"
    """``standard`` (common names), ``perspective``, ``openai``, ``mlcommons`` (the names of these services and lists),
    ``model`` (the model's labels), or a map from the model's labels to yours."""
    merge: Merge = "max"
    """How the windows of a long text are combined."""
    sentences: bool = False
    """Also judge each sentence on its own, as a text without the others."""
    disguises: bool | None = None
    """Also read what disguised words mean, such as ``1d10t``; default: with the starter and packs on its trunk."""


class EmbeddingTask(ModelTask):
    """Compute a vector for the text."""

    task: Literal["embedding"]
    pooling: Literal["mean", "cls"] | None = None
    """How token vectors become one vector; default: what the checkpoint's sentence-transformers files say, otherwise
    ``mean``."""
    normalize: bool = True
    """Scale the vector to length 1."""
    dimensions: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Keep only the first dimensions, 1 to 65,536, for models trained that way (Matryoshka); default: all."""
    precision: Literal["float32", "float16", "int8"] = "float32"
    """The precision of the numbers; with ``int8`` the event has a ``scale``."""


class CustomTask(TaskConfig):
    """Run a class of the user's."""

    task: Literal["custom"]
    use: Text
    """``package.module:Class``, or the name of an entry point in the group ``glossator.tasks``."""
    model: Text | None = None
    """The model that the class's head belongs to; default: none."""
    options: dict[str, Any] | None = None
    """Passed to the class unchanged."""


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


def ensemble_of(task: TaskConfig) -> Ensemble | None:
    """Return how ``task`` combines other tasks; None if it is no ensemble."""
    return task.ensemble if isinstance(task, ScoringTask) else None
