"""The pipeline file: its models and defaults. ``loader.py`` reads it, ``checks.py`` looks across fields.

Everything the product will one day do has its name here already; what cannot be done yet is
refused with "not yet supported", because a setting that is silently ignored is a lie.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, StringConstraints

from schemas.pipeline.fields import DEVICE, JsonPath, NotYet, PipelineName, Strict, Text, TopicName, later, refuse
from schemas.pipeline.tasks import AnyTask

TIMEOUT_MS = 30_000
"""Default of ``transaction.timeout.ms``: shorter than a session, so that what a dead worker left open is aborted
before whoever gets its partitions asks where to begin."""


class Input(Strict):
    topics: Annotated[list[TopicName], Field(min_length=1)]
    format: Annotated[Literal["json", "text"], later("cloudevents", "avro", "protobuf")] = "json"
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
    text: Annotated[Literal["original", "none"], later("redacted")] = "original"
    """``none`` leaves ``text``, ``event`` and the spans' own texts out."""
    offset_unit: Annotated[Literal["code_point"], later("utf16", "utf8")] = "code_point"
    routes: NotYet = None

    @property
    def dead_letter_topic(self) -> str:
        return self.dead_letter or f"{self.topic}.dead"


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
    attention: Literal["auto", "flash"] = "auto"
    """flash: insist on variable-length flash attention and say so where it cannot run (on a CPU)."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: float32 on CPU (half precision is slower there), bfloat16 on CUDA."""
    forward_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Tokens per forward; default: measured at warm-up."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    cache: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Annotations kept for texts that come again; 0 keeps none."""


class Watchdog(Strict):
    """What does not move for so long is stuck: partitions, brokers, the device, events in flight."""

    warn_after_ms: Annotated[int, Field(ge=1000, le=86_400_000)] = 60_000
    leave_after_ms: Annotated[int, Field(ge=1000, le=86_400_000)] | None = 600_000


class DeadLetters(Strict):
    """From which number of dead letters on the worker stops."""

    in_a_row: Annotated[int, Field(ge=1)] | None = 1000
    a_minute: Annotated[int, Field(ge=1)] | None = None


class Telemetry(Strict):
    """Where ``/metrics``, ``/livez`` and ``/readyz`` are served."""

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] | None = 9464
    """Of slot 0; slot N takes the Nth after it. None: not served."""


def _setting(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise refuse("must be text, a number, or true or false")
    return value


KafkaSettings = dict[str, Annotated[str | int | float | bool, BeforeValidator(_setting)]]


class Pipeline(Strict):
    """The whole file. ``pipeline`` names the consumer group."""

    pipeline: PipelineName
    kafka: KafkaSettings
    input: Input
    tasks: Annotated[list[AnyTask], Field(min_length=1, max_length=64)]
    output: Output
    delivery: Literal["at_least_once", "exactly_once"] = "at_least_once"
    batching: Batching = Batching()
    backpressure: Backpressure = Backpressure()
    compute: Compute = Compute()
    watchdog: Watchdog = Watchdog()
    stop_after: DeadLetters = DeadLetters()
    telemetry: Telemetry = Telemetry()
    commit_interval_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 250
    drain_timeout_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 30_000
    """How long a revoked partition, or SIGTERM, waits for what is in flight."""
