"""The models of the pipeline file and their defaults.

``loader.py`` reads a file into them, ``checks.py`` has the rules between fields, ``tasks.py`` the models of the tasks,
``outputs.py`` those of what is written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, StringConstraints

from schemas.paths import EVERYWHERE, parse_pattern
from schemas.pipeline.fields import DEVICE, FULL_NAME, InputTopic, PipelineName, Strict, Text, TextPaths, refuse
from schemas.pipeline.outputs import Output
from schemas.pipeline.redaction import Redact
from schemas.pipeline.registry import Registry
from schemas.pipeline.tasks import AnyTask
from schemas.pipeline.topics import InputTopics
from schemas.pipeline.traces import Traces

TIMEOUT_MS = 30_000
"""Our default for ``transaction.timeout.ms``, in milliseconds. It is shorter than a session, so that the open
transaction of a dead worker is aborted before the next owner of its partitions looks up where to start."""


class Input(Strict):
    """The topics to read, and how to find the text in a record."""

    topics: Annotated[list[InputTopic], Field(min_length=1)]
    """Input topics, at least one; they must exist. An entry that begins with ``^`` is a regular expression and means
    all topics whose names it matches, also those that are created later; at the start there must be one."""
    format: Literal["json", "text", "cloudevents", "connect", "debezium", "avro", "protobuf", "json_schema"] = "json"
    """``json``: each value is a JSON object. ``text``: the whole value is the text, in UTF-8. ``cloudevents``: each
    record is a CloudEvent 1.0, whose data is the object. ``connect``: the object is the payload of a value that Kafka
    Connect's JSON converter has written. ``debezium``: the same, and the payload is a change event. ``avro``,
    ``protobuf`` and ``json_schema``: each value is encoded with a schema of the Schema Registry at ``registry``, which
    it names."""
    encoding: Literal["json", "avro", "protobuf", "json_schema"] = "json"
    """With ``format: debezium``, how the change events are encoded: ``json``, or like the format of that name."""
    reader_schema: Text | None = None
    """With ``format: avro``, a file with the Avro schema in which events are read, whatever schema they were written
    with; default: the schema that each event was written with."""
    descriptor_set: Text | None = None
    """With ``format: protobuf``, a file with the FileDescriptorSet in which ``message`` is, as ``protoc`` writes it;
    default: schemas are those of the registry."""
    message: Annotated[str, StringConstraints(pattern=FULL_NAME, max_length=1000)] | None = None
    """With ``descriptor_set``, the full name of the message that each value is."""
    validates: Annotated[bool, Field(alias="validate")] = False
    """With ``format: json_schema``, whether an event that does not fit its schema becomes a dead letter."""
    text: TextPaths = "$.text"
    """The path of the text in the JSON object, or a list of 1 to 64 paths, whose texts are read as one, in the order of
    the list. A path may contain ``[*]``, every entry of an array or member of an object; ``$..*`` is every string of
    the event. Only ``$`` is allowed with ``format: text``."""
    start: Literal["earliest", "latest"] = "earliest"
    """Where a group starts in a topic of which it has no committed offset. Later starts always continue at the commit,
    and a partition that is added later is read from its beginning."""
    tombstones: Literal["forward", "dead_letter", "skip"] = "forward"
    """What becomes of a record whose value is null. ``forward``: a null value with the same key goes to the output
    topic, so that a delete reaches a compacted topic; without a key it becomes a dead letter. ``skip``: nothing is
    published."""
    max_characters: Annotated[int, Field(ge=1, le=100_000_000)] = 1_000_000
    """Code points of the longest text, 1 to 100 million. A longer text becomes a dead letter, so that a single event
    cannot occupy a worker for minutes."""
    max_bytes: Annotated[int, Field(ge=1, le=1_000_000_000)] = 16_777_216
    """Bytes of the largest value, 1 to 1 billion, 16 MiB by default. A larger record becomes a dead letter."""

    @property
    def encoded_as(self) -> str:
        """The format by which the bytes of a value become JSON."""
        return self.encoding if self.format == "debezium" else self.format

    @property
    def paths(self) -> list[str]:
        """The paths at ``text``."""
        return [self.text] if isinstance(self.text, str) else self.text

    @property
    def several(self) -> bool:
        """Whether an event may have several texts, which documents then have as ``parts``."""
        first, *others = self.paths
        return bool(others) or first == EVERYWHERE or None in parse_pattern(first)


class Batching(Strict):
    """When a micro-batch is cut: when it is full or, as soon as the device is idle, when its linger time is over."""

    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 16_384
    """Tokens in a micro-batch, 1 to 1 million."""
    max_events: Annotated[int, Field(ge=1, le=100_000)] = 1024
    """Events in a micro-batch, 1 to 100,000."""
    linger_ms: Annotated[int, Field(ge=0, le=60_000)] = 10
    """Milliseconds that the first event of a micro-batch waits for others at least, 0 to 60,000."""
    target_latency_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """Milliseconds within which 99 of 100 events should be sent after their poll, 1 to 60,000. Replaces ``linger_ms``:
    micro-batches wait for as long as that allows. None: no goal."""


class Backpressure(Strict):
    """When polling pauses: above a high mark of what is in flight, until it falls below the low mark."""

    high_events: PositiveInt = 8192
    """Events in flight at which polling pauses."""
    low_events: PositiveInt = 4096
    """Events in flight at which polling resumes; must be below ``high_events``."""
    high_bytes: PositiveInt = 67_108_864
    """Bytes in flight at which polling pauses, 64 MiB by default; it resumes at half of them."""


class Compute(Strict):
    """The device, the precision, and the resources that models may use."""

    device: Annotated[str, StringConstraints(pattern=DEVICE)] = "auto"
    """``auto`` (a GPU if there is one, otherwise the CPU), ``cpu``, ``cuda``, or ``cuda:N``."""
    attention: Literal["auto", "flash"] = "auto"
    """``auto``: the fastest kernel. ``flash``: log a warning where variable-length flash attention cannot run, such as
    on a CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """``auto``: bfloat16 on CUDA; on a CPU float32, unless it has bfloat16, that is measured to be faster, and scores
    stay within 0.002 on sample texts."""
    forward_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Tokens in one forward, 16 to 1 million; default: measured at warm-up."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Cores to compute with at most, 1 to 1024; default: PyTorch's choice. They are shared by forwards side by side."""
    cache: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Annotations to keep for texts that come again, 0 (none) to 10 million."""


class Watchdog(Strict):
    """How long partitions, brokers, the device and the events in flight may make no progress before they are stuck."""

    warn_after_ms: Annotated[int, Field(ge=1000, le=86_400_000)] = 60_000
    """Milliseconds without progress after which the log warns and ``/readyz`` answers 503; 1 second to 1 day."""
    leave_after_ms: Annotated[int, Field(ge=1000, le=86_400_000)] | None = 600_000
    """Milliseconds without progress after which the worker exits with status 75; 1 second to 1 day. None: never."""


class DeadLetters(Strict):
    """How many dead letters stop the worker (status 65)."""

    in_a_row: Annotated[int, Field(ge=1)] | None = 1000
    """Consecutive dead letters, at least 1. None: any number."""
    a_minute: Annotated[int, Field(ge=1)] | None = None
    """Dead letters within a minute, at least 1. None: any number."""


class Telemetry(Strict):
    """Where ``/metrics``, ``/livez`` and ``/readyz`` are served, what the log sums up, and what is traced."""

    host: Text = "127.0.0.1"
    """The address to listen on; ``0.0.0.0`` for all interfaces. There is no authentication."""
    port: Annotated[int, Field(ge=0, le=65_535)] | None = 9464
    """The port of slot 0; slot N adds N to it. 0: any free port. None: nothing is served."""
    summary_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = 60
    """Seconds between two lines in the log that say how much was done, 1 second to 1 day. None: only one at the end."""
    drift: Text | None = None
    """A file of ``glossator drift-reference`` to compare annotations with. None: the references in packs."""
    traces: Traces | None = None
    """Where spans are sent, and of which micro-batches. None: nothing is traced."""


def _setting(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise refuse("must be text, a number, or true or false")
    return value


KafkaSettings = dict[str, Annotated[str | int | float | bool, BeforeValidator(_setting)]]
"""Settings of the Kafka client (librdkafka), by its names."""


class Pipeline(Strict):
    """A whole pipeline file."""

    pipeline: PipelineName
    """The pipeline's name, which is also the consumer group; at most 200 characters."""
    kafka: KafkaSettings
    """Settings of the Kafka client; ``bootstrap.servers`` is required."""
    input: Input
    """What is read."""
    tasks: Annotated[list[AnyTask], Field(min_length=1, max_length=64)]
    """What the models do, 1 to 64 tasks; annotations appear in this order."""
    output: Output
    """What is written."""
    registry: Registry | None = None
    """The Schema Registry, for encodings that need one."""
    redact: Redact | None = None
    """What becomes of personal data before an event is published; default: nothing is redacted."""
    delivery: Literal["at_least_once", "exactly_once"] = "at_least_once"
    """``exactly_once`` writes outputs and offsets in one transaction; each worker then needs its own ``--slot``."""
    batching: Batching = Batching()
    """When micro-batches are cut."""
    backpressure: Backpressure = Backpressure()
    """When polling pauses."""
    compute: Compute = Compute()
    """Device, precision and resources."""
    watchdog: Watchdog = Watchdog()
    """When standstill counts as stuck."""
    stop_after: DeadLetters = DeadLetters()
    """How many dead letters are too many."""
    telemetry: Telemetry = Telemetry()
    """Where metrics and probes are served, how often the log has a summary, and what is traced."""
    commit_interval_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 250
    """Milliseconds between two commits of offsets, 10 to 3.6 million."""
    drain_timeout_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 30_000
    """Milliseconds that a revoked partition, or SIGTERM, waits for what is in flight, 0 to 3.6 million."""

    @property
    def reads(self) -> InputTopics:
        """The topics that are read."""
        return InputTopics(self.input.topics, self.output.written)

    @property
    def shadows(self) -> dict[str, str]:
        """The name of each task that is a shadow -> the name of the task that it is compared with."""
        return {task.name: task.shadow for task in self.tasks if task.shadow is not None}
