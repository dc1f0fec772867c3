"""The pipeline file: its models and defaults. ``loader.py`` reads it, ``checks.py`` looks across fields.

Everything the product will one day do has its name here already; what cannot be done yet is
refused with "not yet supported", because a setting that is silently ignored is a lie.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from schemas.labels import TAXONOMIES

REFUSED = "refused"
"""The type of every validation error whose message is ours: it may be shown, it quotes no value."""


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def _not_yet(value: Any) -> Any:
    raise _refuse("not yet supported")


def _later(*names: str) -> BeforeValidator:
    """Refuses the values whose machinery comes later, by name; everything else passes on."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in names:
            raise _refuse(f'"{value}" is not yet supported')
        return value

    return BeforeValidator(check)


NotYet = Annotated[Any, BeforeValidator(_not_yet)]


class Strict(BaseModel):
    """Unknown fields are mistakes, nothing is converted, and no error quotes a value: it may be a secret."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
# Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic).
TOPIC = r"^[A-Za-z0-9._-]+$"
DEVICE = r"^(auto|cpu|cuda(:[0-9]{1,3})?)$"

Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=64)]
PipelineName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=200)]


def _no_dots(value: str) -> str:
    if value in {".", ".."}:
        raise _refuse("a topic cannot be called . or ..")
    return value


TopicName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=249), AfterValidator(_no_dots)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]|\[(?:'([^']+)'|\"([^\"]+)\")\]")


def parse_path(path: str) -> list[str | int]:
    """The steps of a path in the small part of JSONPath (RFC 9535) that names exactly one place:
    ``$``, ``.name``, ``['any name']`` and ``[3]``.

    Raises ValueError saying where the path stops making sense.
    """
    if not path.startswith("$"):
        raise ValueError("a path starts with $")
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"cannot read the path from character {at + 1} on; use $.name, $['any name'] or $[0]")
        plain, index, single, double = match.groups()
        steps.append(int(index) if index is not None else plain or single or double)
        at = match.end()
    return steps


def _path(value: str) -> str:
    try:
        parse_path(value)
    except ValueError as error:
        raise _refuse(str(error)) from error
    return value


JsonPath = Annotated[str, AfterValidator(_path)]


class Input(Strict):
    topics: Annotated[list[TopicName], Field(min_length=1)]
    format: Annotated[Literal["json", "text"], _later("cloudevents", "avro", "protobuf")] = "json"
    text: JsonPath = "$.text"
    start: Literal["earliest", "latest"] = "earliest"
    """Where a group that never committed begins; a group that has is never moved silently."""
    max_characters: Annotated[int, Field(ge=1, le=100_000_000)] = 1_000_000
    """Longer texts become dead letters: one event must not hold a worker for minutes."""
    max_bytes: Annotated[int, Field(ge=1, le=1_000_000_000)] = 16_777_216


class Output(Strict):
    topic: TopicName
    dead_letter: TopicName | None = None
    """Default: the output topic with ``.dead`` behind it."""
    text: Annotated[Literal["original", "none"], _later("redacted")] = "original"
    """``none`` leaves ``text``, ``event`` and the spans' own texts out."""
    offset_unit: Annotated[Literal["code_point"], _later("utf16", "utf8")] = "code_point"
    routes: NotYet = None

    @property
    def dead_letter_topic(self) -> str:
        return self.dead_letter or f"{self.topic}.dead"


class TaskConfig(Strict):
    """What every task has. ``model`` is a hub id, a local folder, or ``starter``."""

    name: Name
    model: Text
    revision: Text | None = None
    long_text: Literal["windows", "truncate"] = "windows"
    max_length: Annotated[int, Field(ge=8, le=131_072)] | None = None
    """Tokens a sequence may have, special tokens included; default: what the model can take."""
    stride: Annotated[int, Field(ge=0)] | None = None
    """Tokens two neighbouring windows share; default: a quarter of ``max_length``."""
    when: NotYet = None
    redact: NotYet = None


class ClassificationTask(TaskConfig):
    task: Literal["sentiment", "text-classification"]
    multi_label: bool | None = None
    """Sigmoid per label instead of softmax; default: what the checkpoint says of itself."""
    merge: Literal["mean", "max"] = "mean"
    """How the windows of a long text become one answer; the mean is weighted by length."""


class SpanTask(TaskConfig):
    task: Literal["ner", "token-classification"]
    aggregation: Literal["none", "simple", "first", "average", "max"] | None = None
    """Default: what the head recommends of itself (the starter's does), else simple."""
    threshold: Probability = 0.0
    """Spans scored lower are left out."""


# Which branch of a union is meant is told by the value's shape, so that errors speak of that branch
# alone. The tags' angle brackets keep them apart from keys of the file.
def _shape(value: Any) -> str:
    return "<map>" if isinstance(value, dict) else "<scalar>"


def _known_taxonomy(value: str) -> str:
    names = ["model", *TAXONOMIES]
    if value not in names:
        raise _refuse(f"must be one of {', '.join(names)}, or a map of the model's labels to yours")
    return value


Threshold = Annotated[
    Annotated[Probability, Tag("<scalar>")] | Annotated[dict[str, Probability], Tag("<map>")], Discriminator(_shape)
]
Taxonomy = Annotated[
    Annotated[str, AfterValidator(_known_taxonomy), Tag("<scalar>")] | Annotated[dict[str, Text], Tag("<map>")],
    Discriminator(_shape),
]


class ModerationTask(TaskConfig):
    task: Literal["moderation"]
    threshold: Threshold | None = None
    """One for all labels, or one per label (``default`` for the rest); default: the model's
    own calibrated thresholds, else 0.5."""
    taxonomy: Taxonomy = "standard"
    """``standard``, ``model`` (labels as the model names them), or a map of your own."""
    merge: Literal["max", "mean"] = "max"


class EmbeddingTask(TaskConfig):
    task: Literal["embedding"]
    pooling: Literal["mean", "cls"] | None = None
    """Default: what the checkpoint's sentence-transformers files say, else mean."""
    normalize: bool = True


AnyTask = Annotated[
    ClassificationTask | SpanTask | ModerationTask | EmbeddingTask,
    Field(discriminator="task"),
]

LATER_TASKS = frozenset(
    {
        "pos",
        "coreference",
        "language",
        "aspect-sentiment",
        "nli",
        "zero-shot",
        "paraphrase",
        "similarity",
        "question-answering",
        "pii",
    }
)


class Batching(Strict):
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 16_384
    max_events: Annotated[int, Field(ge=1, le=100_000)] = 1024
    linger_ms: Annotated[int, Field(ge=0, le=60_000)] = 10


class Backpressure(Strict):
    """Polling pauses when more than the high mark is in flight and resumes below the low mark."""

    high_events: PositiveInt = 8192
    low_events: PositiveInt = 4096
    high_bytes: PositiveInt = 67_108_864


class Compute(Strict):
    device: Annotated[str, StringConstraints(pattern=DEVICE)] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: float32 on CPU (half precision is slower there), bfloat16 on CUDA."""
    forward_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Tokens per forward; default: measured at warm-up."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None


def _setting(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise _refuse("must be text, a number, or true or false")
    return value


KafkaSettings = dict[str, Annotated[str | int | float | bool, BeforeValidator(_setting)]]


class Pipeline(Strict):
    """The whole file. ``pipeline`` names the consumer group."""

    pipeline: PipelineName
    kafka: KafkaSettings
    input: Input
    tasks: Annotated[list[AnyTask], Field(min_length=1, max_length=64)]
    output: Output
    delivery: Annotated[Literal["at_least_once"], _later("exactly_once")] = "at_least_once"
    batching: Batching = Batching()
    backpressure: Backpressure = Backpressure()
    compute: Compute = Compute()
    commit_interval_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 250
    drain_timeout_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 30_000
    """How long a revoked partition, or SIGTERM, waits for what is in flight."""
