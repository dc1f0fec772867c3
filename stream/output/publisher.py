"""Turns finished documents into the records to send: enriched events and dead letters."""

from __future__ import annotations

from schemas.document import Failure
from schemas.errors import EncodeError, ProduceError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from stream.output.deadletter import coordinates_only, dead_letter
from stream.output.event_builder import EventBuilder
from stream.output.poison import PoisonLimit
from stream.telemetry.stats import Stats


class Publisher:
    """Makes the records of micro-batches, with the input's key, headers and timestamp, and counts them.

    One thread uses it, the one that uses the sink. No method blocks.
    """

    def __init__(self, pipeline: Pipeline, stats: Stats) -> None:
        """``stats``: gets the numbers of enriched, failed and discarded events."""
        self._topic = pipeline.output.topic
        self._dead_topic = pipeline.output.dead_letter_topic
        self._pipeline = pipeline.pipeline
        self._stats = stats
        self._config = ""
        self._limit = PoisonLimit(pipeline.stop_after)
        self._enriched: dict[int, int] = {}

    def outbounds(self, batch: MicroBatch, builder: EventBuilder) -> list[Outbound]:
        """Make the records to send for ``batch``: an enriched event or a dead letter for each of its events.

        ``builder`` belongs to the configuration that computed the batch. Events of partitions that are gone are left
        out: their new owner sends them. Raises PoisonError when too many events have failed; then nothing of ``batch``
        is to be sent.
        """
        self._limit.check()
        stats, self._config = self._stats, builder.config
        outbounds: list[Outbound] = []
        before = stats.enriched
        for document in batch.documents:
            record = document.record
            if record is None or record.assignment.state == Assignment.GONE:
                stats.discarded += 1
                continue
            if document.failure is None:
                try:
                    value = builder.build(document)
                except EncodeError as error:
                    document.failure = Failure.of(error, "encode")
                else:
                    stats.enriched += 1
                    self._limit.passed()
                    headers = record.headers or []
                    outbounds.append(Outbound(self._topic, record.key, value, headers, record.timestamp_ms, record))
                    continue
            stats.failed[document.failure.stage] += 1
            self._limit.failed(document.failure.stage)
            outbounds.append(self._dead_letter(record, document.failure))
        self._enriched[batch.number] = stats.enriched - before
        if outbounds:
            stats.newest_ms = max(outbounds[-1].timestamp_ms, 0)
        stats.micro_batches += 1
        stats.tokens += batch.tokens
        return outbounds

    def landed(self, batch: MicroBatch) -> None:
        """Note that ``batch``, whose records ``outbounds`` made, is in the log."""
        self._limit.landed(self._enriched.pop(batch.number, 0))

    def refused(self, outbound: Outbound, error: str) -> Outbound | None:
        """Return what to send in place of ``outbound``, which the broker rejected with the Kafka error named ``error``.

        An event is replaced by its dead letter, a dead letter by one with the coordinates alone. None if that was
        rejected too, or the event has no source record. The client calls this while it delivers reports, so the limit
        of dead letters is checked by the next ``outbounds``.
        """
        record = outbound.origin
        if outbound.kind == "dead_letter":
            return coordinates_only(outbound)
        if outbound.kind == "coordinates" or record is None:
            return None
        failure = Failure.of(ProduceError(f"the broker refused the enriched event: {error}"), "produce")
        self._stats.enriched -= 1
        self._stats.failed[failure.stage] += 1
        self._limit.refused(failure.stage)
        return self._dead_letter(record, failure)

    def _dead_letter(self, record: Record, failure: Failure) -> Outbound:
        return dead_letter(record, failure, self._dead_topic, self._pipeline, self._config)
