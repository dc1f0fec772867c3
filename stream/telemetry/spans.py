"""What is traced, and what the spans say: micro-batches, their steps, and events that their producers trace.

Names follow OpenTelemetry's conventions for messaging. Attributes hold numbers, and names of topics, of the pipeline
and of classes of errors; never a text, a key, a header or a value of an event.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Literal, TypeAlias

from opentelemetry.context import Context as Parent
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from schemas.document import Failure
from schemas.pipeline.config import Pipeline
from schemas.pipeline.traces import Traces as Settings
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from stream.telemetry.collector import Collector
from stream.telemetry.stats import Stats
from stream.telemetry.traceparent import Context, context_of, continued, maybe_sampled

Step: TypeAlias = Literal["forwards", "finish"]
"""What one thread does with a micro-batch: run its forwards, or annotate and make the records to send."""

EVENTS = 32
"""The most events of a micro-batch that get a span."""
LINKS = 64
"""The most events of a micro-batch that its span has a link to."""

_UNTRACED = nullcontext()


class _Traced:
    """A micro-batch that is traced. All times are in nanoseconds since the epoch."""

    __slots__ = ("cut", "events", "sending", "sent", "span", "start", "steps")

    def __init__(self, span: Span, start: int) -> None:
        """``start``: when its first event was polled."""
        self.span, self.start = span, start
        self.cut = time.time_ns()
        self.steps: list[tuple[Step, int, int]] = []
        self.sending: int | None = None
        self.sent: Sequence[Outbound] = ()
        self.events: dict[int, tuple[Context, Span]] = {}
        """The identity of a record -> the context and the span of its event."""


class Traces:
    """Traces a sample of micro-batches, and those with events that their producers have sampled.

    A micro-batch that is traced is a trace with a span for it, and below that one for each of its steps. An event whose
    producer has sampled it also gets a span, in the producer's trace; consumers continue at that span. Each method
    belongs to one thread, that of its step. None blocks but ``close``.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        settings: Settings,
        stats: Stats,
        collector: Collector,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``chance`` returns a number from 0 to 1, without 1, for each micro-batch."""
        self._collector, self._tracer, self._stats = collector, collector.tracer, stats
        self._sample, self._follow, self._chance = settings.sample, settings.follow, chance
        self._group, self._transaction = pipeline.pipeline, pipeline.delivery == "exactly_once"
        self._open: dict[int, _Traced] = {}

    def begin(self, batch: MicroBatch) -> None:
        """Decide whether to trace ``batch``, which is cut and tokenised now; called on the prepare thread."""
        chosen = self._chance() < self._sample
        if not (chosen or self._follow):
            return
        contexts = [
            (record, context)
            for record in (batch.records if chosen else maybe_sampled(batch.records))
            if (context := context_of(record.consumed_headers)) is not None and (chosen or context.sampled)
        ]
        if not (chosen or contexts):
            return
        contexts.sort(key=lambda pair: not pair[1].sampled)  # a link to a span that is not recorded helps less
        start = _polled(next(batch.records, None))
        attributes = self._process(batch.ends)
        attributes |= {
            "messaging.batch.message_count": len(batch.documents), "glossator.micro_batch": batch.number,
            "glossator.tokens": batch.tokens, "glossator.config": self._stats.config,
        }  # fmt: skip
        links = [Link(_remote(context), _coordinates(record)) for record, context in contexts[:LINKS]]
        span = self._tracer.start_span(
            _named("process", attributes), Parent(), SpanKind.CONSUMER, attributes, links, start
        )
        if not span.is_recording():  # OpenTelemetry is switched off in the environment
            return
        traced = _Traced(span, start)
        for record, context in islice((pair for pair in contexts if pair[1].sampled), EVENTS):
            traced.events[id(record)] = context, self._event(record, context, span)
        self._open[batch.number] = traced

    def step(self, batch: MicroBatch, name: Step) -> AbstractContextManager[None]:
        """Measure the block as a step of ``batch``; called on the thread of that step."""
        traced = self._open.get(batch.number)
        return _UNTRACED if traced is None else _measured(traced, name)

    def sending(self, batch: MicroBatch, outbounds: Sequence[Outbound]) -> None:
        """Pass the context on in ``outbounds``, which were made from ``batch`` and are sent next.

        A dead letter keeps the headers of its event. Called on the finish thread.
        """
        traced = self._open.get(batch.number)
        if traced is None:
            return
        events = traced.events
        for outbound in [each for each in outbounds if id(each.origin) in events] if events else ():
            if outbound.kind not in {"dead_letter", "coordinates"}:
                context, span = events[id(outbound.origin)]
                outbound.headers = continued(outbound.headers, context, span.get_span_context().span_id)
        traced.sent, traced.sending = tuple(outbounds), time.time_ns()

    def landed(self, batch: MicroBatch) -> None:
        """End the spans of ``batch``, of which all records are in the log; called on the finish thread."""
        if (traced := self._open.pop(batch.number, None)) is None:
            return
        end = time.time_ns()
        failures = {
            id(document.record): document.failure for document in batch.documents if document.failure is not None
        }
        traced.span.set_attribute("glossator.dead_letters", len(failures))
        self._end(traced, end, failures)

    def close(self) -> None:
        """End what has not landed as failed, and send the spans that are left; blocks for up to two seconds.

        To be called when the threads have ended.
        """
        while self._open:
            _, traced = self._open.popitem()
            for span in (traced.span, *(span for _, span in traced.events.values())):
                span.set_status(Status(StatusCode.ERROR))
                span.set_attribute("error.type", "not_delivered")
            self._end(traced, time.time_ns(), {})
        self._collector.close()

    def _end(self, traced: _Traced, end: int, failures: dict[int, Failure]) -> None:
        """End all spans at ``end``; ``failures`` are those of events, by the identity of their records."""
        below = set_span_in_context(traced.span, Parent())
        for name, start, until in (("prepare", traced.start, traced.cut), *traced.steps):
            self._tracer.start_span(name, below, start_time=start).end(until)
        if traced.sending is not None:
            self._delivery(traced, below, traced.sending).end(end)
        for record, (_, span) in traced.events.items():
            if (failure := failures.get(record)) is not None:
                span.set_status(Status(StatusCode.ERROR))
                span.set_attributes({"error.type": failure.error, "glossator.stage": failure.stage})
            span.end(end)
        traced.span.end(end)

    def _delivery(self, traced: _Traced, below: Parent, start: int) -> Span:
        topics = {outbound.topic for outbound in traced.sent}
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send",
            "messaging.batch.message_count": len(traced.sent),
        }  # fmt: skip
        if len(topics) == 1:
            attributes["messaging.destination.name"] = topics.pop()
        name = "transaction" if self._transaction else "delivery"
        return self._tracer.start_span(name, below, SpanKind.PRODUCER, attributes, start_time=start)

    def _event(self, record: Record, context: Context, batch: Span) -> Span:
        parent = set_span_in_context(NonRecordingSpan(_remote(context)), Parent())
        attributes = self._process([record.assignment]) | {"messaging.kafka.offset": record.offset}
        links = [Link(batch.get_span_context())]
        name, start = _named("process", attributes), _polled(record)
        return self._tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, links, start)

    def _process(self, assignments: Collection[Assignment]) -> dict[str, AttributeValue]:
        """Return the attributes of a span that processes events of ``assignments``, without what these do not share."""
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka", "messaging.operation.name": "process",
            "messaging.operation.type": "process", "messaging.consumer.group.name": self._group,
        }  # fmt: skip
        if len(topics := {assignment.topic for assignment in assignments}) == 1:
            attributes["messaging.destination.name"] = topics.pop()
            if len(assignments) == 1:
                attributes["messaging.destination.partition.id"] = str(next(iter(assignments)).partition)
        return attributes


@contextmanager
def _measured(traced: _Traced, name: Step) -> Iterator[None]:
    start = time.time_ns()
    try:
        yield
    finally:
        traced.steps.append((name, start, time.time_ns()))


def _named(operation: str, attributes: dict[str, AttributeValue]) -> str:
    topic = attributes.get("messaging.destination.name")
    return operation if topic is None else f"{operation} {topic}"


def _remote(context: Context) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(context.trace, context.span, is_remote=True, trace_flags=flags)


def _coordinates(record: Record) -> dict[str, AttributeValue]:
    return {
        "messaging.destination.name": record.assignment.topic,
        "messaging.destination.partition.id": str(record.assignment.partition),
        "messaging.kafka.offset": record.offset,
    }


def _polled(record: Record | None) -> int:
    """Return when ``record`` was polled, in nanoseconds since the epoch, or now if that is not known."""
    ago = time.monotonic() - record.polled_at if record is not None and record.polled_at else 0.0
    return time.time_ns() - int(ago * 1e9)
