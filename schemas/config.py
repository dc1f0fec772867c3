"""The pipeline file: its models, defaults and cross-checks. How it is read is ``loader.py``'s.

Everything the product will one day do has its name here already; what cannot be done yet is
refused with "not yet supported", because a setting that is silently ignored is a lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.labels import TAXONOMIES


def _not_yet(value: Any) -> Any:
    raise PydanticCustomError("not_yet_supported", "not yet supported")


def _later(*names: str) -> BeforeValidator:
    """Refuses the values whose machinery comes later, by name; everything else passes on."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in names:
            raise PydanticCustomError("not_yet_supported", '"{value}" is not yet supported', {"value": value})
        return value

    return BeforeValidator(check)


NotYet = Annotated[Any, BeforeValidator(_not_yet)]


class Strict(BaseModel):
    """Unknown fields are mistakes, and no error ever quotes a value: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
PipelineName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)]


def _no_dots(value: str) -> str:
    if value in {".", ".."}:
        raise PydanticCustomError("topic_name", "a topic cannot be called . or ..")
    return value


# Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic).
TopicName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=249), AfterValidator(_no_dots)
]
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
        raise PydanticCustomError("json_path", "{reason}", {"reason": str(error)}) from error
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
    model: Annotated[str, StringConstraints(min_length=1)]
    revision: str | None = None
    long_text: Literal["windows", "truncate"] = "windows"
    max_length: Annotated[int, Field(ge=8, le=131_072)] | None = None
    """Tokens a sequence may have, special tokens included; default: what the model can take."""
    stride: Annotated[int, Field(ge=0)] | None = None
    """Tokens two neighbouring windows share; default: a quarter of ``max_length``."""
    when: NotYet = None
    redact: NotYet = None

    @model_validator(mode="after")
    def _stride_fits(self) -> TaskConfig:
        # Two special tokens and at least one new token per window, or windows never end.
        if self.stride is not None and self.max_length is not None and self.stride > self.max_length - 4:
            raise PydanticCustomError("stride", "stride must be at most max_length - 4, or windows make no headway")
        return self


class ClassificationTask(TaskConfig):
    task: Literal["sentiment", "text-classification"]
    multi_label: bool | None = None
    """Sigmoid per label instead of softmax; default: what the checkpoint says of itself."""
    merge: Literal["mean", "max"] = "mean"
    """How the windows of a long text become one answer; the mean is weighted by length."""


class SpanTask(TaskConfig):
    task: Literal["ner", "token-classification"]
    aggregation: Literal["none", "simple", "first", "average", "max"] = "simple"
    threshold: Probability = 0.0
    """Spans scored lower are left out."""


class ModerationTask(TaskConfig):
    task: Literal["moderation"]
    threshold: Probability | dict[str, Probability] | None = None
    """One for all labels, or one per label (``default`` for the rest); default: the model's
    own calibrated thresholds, else 0.5."""
    taxonomy: str | dict[str, str] = "standard"
    """``standard``, ``model`` (labels as the model names them), or a map of your own."""
    merge: Literal["max", "mean"] = "max"

    @model_validator(mode="after")
    def _taxonomy_known(self) -> ModerationTask:
        if isinstance(self.taxonomy, str) and self.taxonomy not in {"model", *TAXONOMIES}:
            known = ", ".join(["model", *TAXONOMIES])
            raise PydanticCustomError("taxonomy", "taxonomy is one of {known}, or a map", {"known": known})
        return self


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
    {"pos", "coreference", "language", "aspect-sentiment", "nli", "zero-shot", "paraphrase", "similarity",
     "question-answering", "pii"}
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

    @model_validator(mode="after")
    def _ordered(self) -> Backpressure:
        if self.low_events >= self.high_events:
            raise PydanticCustomError("marks", "low_events must be below high_events")
        return self


class Compute(Strict):
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: float32 on CPU (half precision is slower there), bfloat16 on CUDA."""
    forward_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Tokens per forward; default: measured at warm-up."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None


# What a setting of the client must not be, because a promise rests on it.
_RESERVED: dict[str, str] = {
    "group.id": "it is the pipeline's name",
    "enable.auto.commit": "offsets are committed after delivery reports",
    "enable.auto.offset.store": "offsets are stored in order after delivery reports",
    "auto.offset.reset": 'a group must never skip silently; use "input.start"',
    "enable.idempotence": "without it a retry can duplicate or reorder",
    "max.in.flight": "idempotence needs at most 5",
    "max.in.flight.requests.per.connection": "idempotence needs at most 5",
    "acks": "fewer than all replicas can lose events",
    "request.required.acks": "fewer than all replicas can lose events",
    "transactional.id": "it is made of the pipeline and the slot",
    "isolation.level": "aborted events must not be read",
    "enable.partition.eof": "the worker does not expect end-of-partition events",
    "delivery.report.only.error": "offsets wait for every delivery report",
    "enable.gapless.guarantee": "a refused event is dead-lettered, not fatal",
    "dr_msg_cb": "callbacks are the worker's",
    "plugin.library.paths": "no foreign code is loaded from configuration",
    "test.mock.num.brokers": "the embedded broker is for demo and tests only",
}
# Settings the KIP-848 group protocol takes over to the broker's side.
_CLASSIC_ONLY = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms",
                 "group.protocol.type")


def _no_reserved(settings: dict[str, Any]) -> dict[str, Any]:
    if not settings.get("bootstrap.servers"):
        raise PydanticCustomError("bootstrap", 'needs "bootstrap.servers", for example localhost:9092')
    return settings


KafkaSettings = Annotated[dict[str, str | int | float | bool], AfterValidator(_no_reserved)]


def kafka_problems(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(setting, what is wrong) for each setting that would break a promise."""
    for setting in settings:
        if setting in _RESERVED:
            yield setting, f"cannot be set: {_RESERVED[setting]}"
        elif settings.get("group.protocol") == "consumer" and setting in _CLASSIC_ONLY:
            yield setting, "cannot be set with group.protocol=consumer: the broker decides it (KIP-848)"


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
