"""Shadows: tasks that run on the live stream, and are compared with the tasks that annotate its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from schemas.document import Document, Failure, Shadowed
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound, Record
from stream.output.comparison import Compared, comparison
from stream.output.event_builder import EventBuilder
from stream.output.redaction.redacted import Redacted
from stream.output.shadow_log import Agreement, ShadowLog
from stream.registry.framing import without_schema
from stream.telemetry.stats import Stats

OTHER = "(other)"
"""What is written for the labels that are beyond ``MOST_LABELS``."""
MOST_LABELS = 30
"""Labels of a task, and as many of its shadow, that are counted by name: those that come first."""
_LONGEST = 100
"""Characters of a label that are kept."""


class Shadows:
    """Compares the shadows of one configuration with their tasks. Used by one thread, the one that publishes.

    Nothing that happens here concerns the events themselves: a shadow that fails, a comparison that fails and a record
    about a disagreement that cannot be made are counted and logged, and no dead letter comes of them.
    """

    def __init__(self, pipeline: Pipeline, clock: Callable[[], float] = time.monotonic) -> None:
        """``pipeline``: the pipeline file; ``clock``: returns seconds."""
        kinds = {task.name: task.task for task in pipeline.tasks}
        self._topic = pipeline.output.disagreements
        self._pairs = [_Pair(task, shadow, kinds[shadow], clock) for shadow, task in pipeline.shadows.items()]

    def compare(self, document: Document, stats: Stats) -> dict[str, str]:
        """Compare all shadows of a document that is published, and count the results.

        Returns the names of the shadows that disagree, each with the name of its task.
        """
        made = document.shadows or {}
        return {
            pair.shadow: pair.task
            for pair in self._pairs
            if not pair.agrees(document.annotations.get(pair.task), made.get(pair.shadow), stats)
        }

    def record(
        self,
        document: Document,
        record: Record,
        builder: EventBuilder,
        disagreeing: Mapping[str, str],
        *,
        routed: Sequence[str] | None,
        redacted: Redacted | None,
        stats: Stats,
    ) -> list[Outbound]:
        """Make the record about an event for the topic of the disagreements; none if there is no such topic.

        It is the event as ``output`` describes it, whose annotations include those of the shadows that disagree, with
        the key and headers that the output topic would get.

        Args:
            document: the event.
            record: its source record.
            builder: of the configuration that has computed the document.
            disagreeing: what ``compare`` returned.
            routed: the names of the routes that took the event; None if there are no routes.
            redacted: what the builder has redacted of the document; None if nothing yet.
            stats: counts the record, or that it could not be made.
        """
        if self._topic is None:
            return []
        key, headers = record.key, record.headers or []
        try:
            if builder.redactor is not None and (redacted := redacted or builder.redact(document)) is not None:
                key, headers = (redacted.key, redacted.headers) if builder.hides else (key, headers)
            headers = without_schema(headers) if builder.framed else headers
            value = builder.build(document, None, routed, redacted, disagreeing)
        except Exception as error:
            stats.disagreements["lost"] += 1
            self._pairs[0].log.lost(Failure.of(error, "encode"))
            return []
        stats.disagreements["sent"] += 1
        return [Outbound(self._topic, key, value, headers, record.timestamp_ms, record, "disagreement")]

    def tick(self) -> None:
        """Log how the comparisons go, if it is time. To be called now and then, also while nothing comes."""
        for pair in self._pairs:
            pair.log.tick()

    def flush(self) -> None:
        """Log what has been compared since the last line."""
        for pair in self._pairs:
            pair.log.flush()


class _Pair:
    """A task and its shadow."""

    def __init__(self, task: str, shadow: str, kind: str, clock: Callable[[], float]) -> None:
        self.task, self.shadow = task, shadow
        self._compare = comparison(kind)
        self._names: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self._agreement = Agreement()
        self.log = ShadowLog(task, shadow, self._agreement, clock)

    def agrees(self, annotation: Mapping[str, object] | None, made: Shadowed | None, stats: Stats) -> bool:
        """Count one event; returns false if both have an annotation, and they disagree."""
        outcome, compared = "one_sided", None
        failure = None if made is None else made.failure
        if made is not None:
            for notice in made.notices:
                if notice["kind"] == "unread":
                    stats.unread[self.shadow] += 1
        if failure is None and annotation is not None and made is not None and made.annotation is not None:
            try:
                compared = self._compare(dict(annotation), made.annotation)
            except Exception as error:
                failure = Failure.of(error, "compare", self.shadow)
            else:
                outcome = "agree" if compared.agree else "disagree"
                self._count(compared, stats)
        elif failure is None and annotation is None and (made is None or made.annotation is None):
            return True  # neither has run
        if failure is not None:
            outcome = "failed"
            self.log.failed(failure)
        stats.shadow_events[self.task, self.shadow, outcome] += 1
        self._agreement.outcomes[outcome] += 1
        self.log.note()
        return outcome != "disagree"

    def _count(self, compared: Compared, stats: Stats) -> None:
        for first, second in compared.pairs:
            pair = self._named(0, first), self._named(1, second)
            stats.shadow_labels[self.task, self.shadow, *pair] += 1
            self._agreement.pairs[pair] += 1
        if compared.flagged is not None:
            for by, flagged in zip(("task", "shadow"), compared.flagged, strict=True):
                stats.shadow_flagged[self.task, self.shadow, by] += flagged
                self._agreement.flagged[by] += flagged

    def _named(self, side: int, label: str) -> str:
        """Return what a label is counted as: there is a limit to their number, because each pair is a time series."""
        names = self._names[side]
        name = names.get(label)
        if name is None:
            if len(names) >= MOST_LABELS:
                return OTHER
            name = names[label] = label[:_LONGEST]
        return name
