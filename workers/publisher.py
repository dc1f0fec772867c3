"""Finished documents -> what is sent: the enriched event, or the dead letter."""

from __future__ import annotations

from schemas.config import Pipeline
from schemas.document import Failure
from schemas.errors import EncodeError
from schemas.record import Assignment, Outbound, Record
from stream.deadletter import dead_letter
from stream.microbatch import MicroBatch
from stream.sink import Pair
from workers.enrich import EventBuilder
from workers.stats import Stats


class Publisher:
    """Makes the records of a micro-batch, in order, with the input's key, headers and timestamp."""

    def __init__(self, pipeline: Pipeline, stats: Stats) -> None:
        self._topic = pipeline.output.topic
        self._dead_topic = pipeline.output.dead_letter_topic
        self._pipeline = pipeline.pipeline
        self._stats = stats
        self._config = ""

    def outbounds(self, batch: MicroBatch, builder: EventBuilder) -> list[Pair]:
        """For each event of ``batch`` (the record it was made of, what to send); see ``Sink.send``.

        ``builder``: of the configuration that has computed the batch.

        Events of partitions that are gone are left out: whoever owns them now sends them.
        """
        stats, self._config = self._stats, builder.config
        outbounds: list[Pair] = []
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
                    enriched = Outbound(self._topic, record.key, value, record.headers or [], record.timestamp_ms)
                    outbounds.append((record, enriched))
                    continue
            stats.dead_letters += 1
            outbounds.append((record, self._dead_letter(record, document.failure)))
        stats.micro_batches += 1
        stats.tokens += batch.tokens
        return outbounds

    def refused(self, record: Record, failure: Failure) -> Outbound:
        """The dead letter of an event that was counted as enriched, but is refused by the broker."""
        self._stats.enriched -= 1
        self._stats.dead_letters += 1
        return self._dead_letter(record, failure)

    def _dead_letter(self, record: Record, failure: Failure) -> Outbound:
        return dead_letter(record, failure, self._dead_topic, self._pipeline, self._config)
