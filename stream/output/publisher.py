"""Turns finished documents into the records to send: enriched events, copies of them, and dead letters."""

from __future__ import annotations

from schemas.document import Document, Failure
from schemas.errors import EncodeError, PoisonError, ProduceError, RedactError, RouteError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from stream.output.deadletter import LetterWriter, coordinates_only, undated
from stream.output.event_builder import EventBuilder
from stream.output.letter_log import LetterLog, described, place
from stream.output.poison import PoisonLimit
from stream.output.redaction.redacted import Redacted
from stream.output.routes import Decision, Router, Target
from stream.output.shadows import Shadows
from stream.output.tally import Tally
from stream.registry.framing import without_schema
from stream.telemetry.stats import Stats


class Publisher:
    """Makes the records of micro-batches, with the input's key, headers and timestamp, and counts them.

    One thread uses it, the one that uses the sink. No method blocks.
    """

    def __init__(self, pipeline: Pipeline, stats: Stats) -> None:
        """``stats``: gets the numbers of enriched, routed, failed and discarded events.

        Raises SettingError if dead letters are encrypted and the key for that is missing.
        """
        self._topic = pipeline.output.topic
        copies = pipeline.output.disagreements
        self._copies_to = () if copies is None else (copies,)
        self._writer = LetterWriter(pipeline)
        self._tombstones = pipeline.input.tombstones
        self._stats, self._tally = stats, Tally(stats)
        self._config = ""
        self._limit = PoisonLimit(pipeline.stop_after)
        self._letters = LetterLog()
        self._shadows: Shadows | None = None
        self._redacted: Redacted | None = None
        """What was redacted of the event whose records were made last."""
        self._enriched: dict[int, int] = {}
        self._refused: set[tuple[Assignment, int]] = set()
        """Events that became dead letters because the broker rejected a copy, until their micro-batch has landed."""
        for route in pipeline.output.routes or ():
            stats.routed[route.label] = 0

    def outbounds(
        self, batch: MicroBatch, builder: EventBuilder, router: Router | None = None, shadows: Shadows | None = None
    ) -> list[Outbound]:
        """Make the records to send for ``batch``.

        There is one for each event; with routes there may be more, or none, and for a tombstone that is skipped there
        is none. ``builder``, ``router`` and ``shadows`` (None: nothing is compared) belong to the configuration that
        computed the batch. Events of partitions that are gone are left out: their new owner sends them.
        """
        if shadows is not self._shadows:
            self._compare_with(shadows)
        stats, self._config = self._stats, builder.config
        outbounds: list[Outbound] = []
        before, newest_ms = stats.enriched, None
        for document in batch.documents:
            record = document.record
            if record is None or record.assignment.state == Assignment.GONE:
                stats.discarded += 1
                continue
            newest_ms = record.timestamp_ms
            if (record.value is None or document.deletes) and _failed_as_delete(document):
                if self._tombstones == "skip":
                    stats.skipped += 1
                    continue
                if self._tombstones == "forward" and record.key is not None:  # without a key it would delete nothing
                    try:
                        outbounds += self._deletes(record, builder, router)
                    except RedactError as error:
                        document.failure = Failure.of(error, "redact")
                    else:
                        stats.tombstones += 1
                        continue
            if document.failure is None:
                try:
                    if router is None:
                        outbounds.append(self._event(document, record, builder))
                        stats.enriched += 1
                    else:
                        outbounds += self._copies(document, record, builder, router)
                except (EncodeError, RedactError, RouteError) as error:
                    document.failure = Failure.of(error, "encode", getattr(error, "route", None))
                else:
                    self._limit.passed()
                    if shadows is not None:
                        outbounds += self._disagreements(document, record, builder, router, shadows)
                    continue
            stats.failed[document.failure.stage] += 1
            if not _is_delete(document, record):
                self._limit.failed(_cause(record, document.failure))
            outbounds.append(self._dead_letter(record, document.failure))
        self._enriched[batch.number] = stats.enriched - before
        if newest_ms is not None:
            stats.newest_ms = max(newest_ms, 0)
        stats.micro_batches += 1
        stats.tokens += batch.tokens
        self._tally.computed(batch, builder.tasks)
        return outbounds

    def landed(self, batch: MicroBatch) -> None:
        """Note that ``batch``, whose records ``outbounds`` made, is in the log."""
        self._limit.landed(self._enriched.pop(batch.number, 0))
        self._tally.landed(batch)
        if self._refused:
            self._refused.difference_update((record.assignment, record.offset) for record in batch.records)

    def refused(self, outbound: Outbound, error: str) -> list[Outbound] | None:
        """Return what to send in place of ``outbound``, which the broker rejected with the Kafka error named ``error``.

        An event is replaced by its dead letter; a dead letter by one with the time of sending, if its timestamp was
        rejected, and otherwise by one with the coordinates alone. If several copies of an event are rejected, only the
        first is replaced; copies that are not rejected stay. None if a letter with the coordinates was rejected too, or
        the event has no source record. The client calls this while it delivers reports.
        """
        record = outbound.origin
        if outbound.kind == "dead_letter":
            rejected_time = error == "INVALID_TIMESTAMP" and outbound.timestamp_ms > 0
            return [undated(outbound) if rejected_time else coordinates_only(outbound)]
        if outbound.kind == "disagreement":  # the event itself is not affected
            self._stats.disagreements["sent"] -= 1
            self._stats.disagreements["lost"] += 1
            return []
        if outbound.kind == "coordinates" or record is None:
            return None
        if outbound.route is not None:
            self._stats.routed[outbound.route] -= 1
        if (source := (record.assignment, record.offset)) in self._refused:
            return []
        self._refused.add(source)
        name = "tombstone" if outbound.kind == "tombstone" else "enriched event"
        failure = Failure.of(
            ProduceError(f"the broker refused the {name} for topic {outbound.topic}: {error}{_hint(error, outbound)}"),
            "produce",
        )
        self._stats.failed[failure.stage] += 1
        if outbound.kind == "tombstone":
            self._stats.tombstones -= 1
        else:
            self._stats.enriched -= 1
            self._limit.refused(_cause(record, failure))
        return [self._dead_letter(record, failure)]

    def _event(self, document: Document, record: Record, builder: EventBuilder) -> Outbound:
        """Make the record of one event. Raises EncodeError and RedactError."""
        key, headers, redacted = record.key, record.headers or [], None
        if builder.redactor is not None and (redacted := builder.redact(document)) is not None:
            key, headers = redacted.key, redacted.headers
        self._redacted = redacted
        headers = without_schema(headers) if builder.framed else headers
        value = builder.build(document, redacted=redacted)
        if builder.encoders:
            value, headers = builder.encoders[None].encode(value, key, headers, record)
        self._count(redacted)
        return Outbound(self._topic, key, value, headers, record.timestamp_ms, record)

    def _copies(self, document: Document, record: Record, builder: EventBuilder, router: Router) -> list[Outbound]:
        """Make the records of one event for all its topics, and count it. Raises EncodeError and its siblings."""
        decision = router.decide(document)
        self._redacted = None
        if (only := decision.only) is not None and not (builder.redactor or builder.framed):  # the commonest
            value, headers = builder.build(document, only.view, decision.routed), record.headers or []
            at = record.timestamp_ms
            copies = [Outbound(only.topic, record.key, value, headers, at, record, "event", only.name)]
        else:
            copies = self._each_copy(document, record, builder, decision)
        for name in decision.routed:
            self._stats.routed[name] += 1
        if copies:
            self._stats.enriched += 1
        else:
            self._stats.dropped += 1
        return copies

    def _deletes(self, record: Record, builder: EventBuilder, router: Router | None) -> list[Outbound]:
        """Make the tombstones of one record, with the keys that its events have. Raises RedactError."""
        key, headers, stamp = record.key, record.headers or [], record.timestamp_ms
        # Copies of disagreements have the keys and the text of the output topic.
        default = frozenset([*self._copies_to, *([self._topic] if router is None else [])])
        topics = (*((self._topic,) if router is None else router.deletes), *self._copies_to)
        redactor = builder.redactor
        if redactor is None:
            return [Outbound(topic, key, None, headers, stamp, record, "tombstone") for topic in topics]
        hidden_key, hidden_headers = redactor.delete(record)
        original, hidden = (frozenset[str](), default) if builder.hides else (default, frozenset[str]())
        if router is not None:
            original, hidden = original | router.original, hidden | router.hidden
        return [
            *(Outbound(name, key, None, headers, stamp, record, "tombstone") for name in topics if name in original),
            *(
                Outbound(name, hidden_key, None, hidden_headers, stamp, record, "tombstone")
                for name in topics
                if name in hidden and hidden_key is not None
            ),
        ]

    def _disagreements(
        self, document: Document, record: Record, builder: EventBuilder, router: Router | None, shadows: Shadows
    ) -> list[Outbound]:
        """Compare the shadows of an event, and make the record about it if any disagrees.

        Nothing is made of an event that a route drops.
        """
        disagreeing, stats = shadows.compare(document, self._stats), self._stats
        if not disagreeing:
            return []
        decision = None if router is None else router.decide(document)
        if decision is not None and not decision.targets:
            return []
        return shadows.record(
            document, record, builder, disagreeing,
            routed=None if decision is None else decision.routed, redacted=self._redacted, stats=stats,
        )  # fmt: skip

    def _compare_with(self, shadows: Shadows | None) -> None:
        if self._shadows is not None:
            self._shadows.flush()
        self._shadows = shadows

    def _count(self, redacted: Redacted | None) -> None:
        if redacted is not None:
            for applied, count in redacted.applied.items():
                self._stats.redacted[applied] += count

    def _each_copy(
        self, document: Document, record: Record, builder: EventBuilder, decision: Decision
    ) -> list[Outbound]:
        self._redacted = redacted = None if builder.redactor is None else builder.redact(document, decision.views)
        values = [builder.build(document, view, decision.routed, redacted) for view in decision.views]
        copies = []
        for target, number in zip(decision.targets, decision.numbers, strict=True):
            key, headers = target.key_of(document, record), record.headers or []
            if redacted is not None and target.view.text != "original":
                key, headers = _hidden_key(target, key, redacted), redacted.headers
            headers = without_schema(headers) if builder.framed else headers
            value, headers = values[number], target.headers_of(headers)
            if target.encoded:
                value, headers = builder.encoders[target.name].encode(value, key, headers, record)
            copies.append(
                Outbound(target.topic, key, value, headers, record.timestamp_ms, record, "event", target.name)
            )
        self._count(redacted)
        return copies

    def too_many(self) -> PoisonError | None:
        """Return why the worker must stop if too many events have failed; None if it need not. To be called often.

        The letters of these events are to be sent nevertheless, because they are what a person looks at next.
        """
        self._letters.tick()
        if self._shadows is not None:
            self._shadows.tick()
        return self._limit.exceeded()

    def close(self) -> None:
        """Log the dead letters, and what was compared with shadows, that have no line in the log yet."""
        self._letters.flush()
        self._compare_with(None)

    def _dead_letter(self, record: Record, failure: Failure) -> Outbound:
        self._letters.note(record, failure)
        return self._writer.letter(record, failure, self._config)


def _hidden_key(target: Target, key: bytes | None, redacted: Redacted) -> bytes | None:
    """Return the key of a copy whose text is not the original: ``key`` is the one that ``target`` chooses."""
    return redacted.key if target.path is None or key is None else redacted.route_key(tuple(target.steps), key)


def _hint(error: str, outbound: Outbound) -> str:
    if error == "INVALID_TIMESTAMP":
        return " (its timestamp is further from now than message.timestamp.before.max.ms or after.max.ms allow)"
    return (
        " (a compacted topic takes no record without a key)"
        if error == "INVALID_RECORD" and outbound.key is None
        else ""
    )


def _cause(record: Record, failure: Failure) -> str:
    return f"{described(failure)}, {place(record)}"


def _failed_as_delete(document: Document) -> bool:
    """Whether the only thing wrong with a tombstone, or an event that is a delete, is that it is one."""
    return document.failure is None or document.failure.stage == "decode"


def _is_delete(document: Document, record: Record) -> bool:
    """Whether ``record`` deletes a key: any number of deletes in a row says nothing about the pipeline file."""
    return (record.value is None or document.deletes) and record.key is not None
