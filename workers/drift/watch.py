"""Compares the last 24 hours of a worker's annotations with references, task by task."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from schemas.document import Document
from workers.drift.reference import Reference
from workers.drift.stability import ALARM, excess
from workers.drift.tally import Tally, outcome

log = logging.getLogger("glossator")

HOURS = 24
"""Hours that are compared with the reference: the present one and those before it."""
FEWEST = 100
"""Events in these hours below which nothing is reported."""
_HOUR = 3600
_DAY = 86_400
_LISTED = 3
"""Labels that a warning lists."""


class Watch:
    """The annotations of one task in the last 24 hours, hour by hour.

    ``note`` is called by the finish thread, everything else by the poll thread.

    Attributes:
        task: the task's name.
        reference: what it is compared with.
        model: the model and revision that annotate.
        warned: the UTC day, since the epoch, of the last warning.
    """

    def __init__(self, task: str, reference: Reference, model: Mapping[str, str], clock: Callable[[], float]) -> None:
        """``clock`` returns the time in seconds since the epoch."""
        self.task, self.reference, self.model = task, reference, dict(model)
        self.warned = -1
        self._clock = clock
        self._hours: tuple[tuple[int, Tally], ...] = ()

    def note(self, documents: Sequence[Document]) -> None:
        """Count what the task has annotated in ``documents``; those that have failed are not counted."""
        hour = int(self._clock() // _HOUR)
        if not self._hours or self._hours[-1][0] != hour:
            # A new tuple, because the poll thread may be reading the present one.
            self._hours = (*self._hours[1 - HOURS :], (hour, self.reference.tally()))
        add, task = self._hours[-1][1].add, self.task
        for document in documents:
            if document.failure is None and (entry := outcome(document, task)) is not None:
                add(*entry)

    def recent(self) -> Tally:
        """Return the numbers of the last 24 hours."""
        since = int(self._clock() // _HOUR) - HOURS
        whole = self.reference.tally()
        for hour, tally in self._hours:
            if hour > since:
                whole.merge(tally)
        return whole


class Drift:
    """The watches of one configuration."""

    def __init__(
        self, references: Mapping[str, Reference], models: Mapping[str, Mapping[str, str]],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """``references``: task name -> reference. ``models``: task name -> model and revision."""
        self._clock = clock
        self.watches = [Watch(task, reference, models[task], clock) for task, reference in references.items()]

    def go_on_from(self, before: Drift) -> None:
        """Keep the numbers of ``before``, which this one replaces, of tasks with the same model and reference."""
        kept = {watch.task: watch for watch in before.watches}
        self.watches = [
            old
            if (old := kept.get(new.task)) is not None and (old.reference, old.model) == (new.reference, new.model)
            else new
            for new in self.watches
        ]

    def note(self, documents: Sequence[Document]) -> None:
        """Count what the watched tasks have annotated. Called by the finish thread."""
        for watch in self.watches:
            watch.note(documents)

    def report(self) -> dict[tuple[str, str], float]:
        """Compare; logs a warning for each task that has drifted, at most one a task and UTC day.

        Returns (task, "labels" or "scores" or "unread") -> how far it has drifted, see ``stability.excess``. Tasks of
        too few events are left out.
        """
        drifts: dict[tuple[str, str], float] = {}
        for watch in self.watches:
            recent = watch.recent()
            if recent.events < FEWEST:
                continue
            compared = compare(watch.reference, recent)
            drifts |= {(watch.task, what): max(parts.values(), default=0.0) for what, parts in compared.items()}
            today = int(self._clock() // _DAY)
            if watch.warned != today and any(drifts[watch.task, what] > ALARM for what in compared):
                watch.warned = today
                _warn(watch, recent, compared)
        return drifts


def compare(reference: Reference, recent: Tally) -> dict[str, dict[str, float]]:
    """Return what drifts by how much: of ``labels``, ``scores`` and ``unread`` each part, by its label."""
    unread = excess(_parted(reference.unread, reference.events), _parted(recent.unread, recent.events))
    scores = {
        name: excess(histogram.counts, recent.scores[name]) for name, histogram in reference.scores.items()
    }  # fmt: skip
    return {"labels": _labels(reference, recent), "scores": scores, "unread": {"": unread}}


def _labels(reference: Reference, recent: Tally) -> dict[str, float]:
    if reference.kind == "classification":
        names = list(reference.labels)
        # A label that the reference does not have; always 0 there.
        others = sum(count for label, count in recent.labels.items() if label not in reference.labels)
        counts = [recent.labels.get(name, 0) for name in names]
        return {"": excess([*reference.labels.values(), 0], [*counts, others])}
    return {
        label: excess(
            _parted(reference.labels.get(label, 0), reference.events),
            _parted(recent.labels.get(label, 0), recent.events),
        )
        for label in {**reference.labels, **recent.labels}
    }


def _parted(count: int, events: int) -> tuple[int, int]:
    return count, events - count


def _warn(watch: Watch, recent: Tally, compared: Mapping[str, Mapping[str, float]]) -> None:
    changes = []
    for what, parts in compared.items():
        worst = sorted(((value, label) for label, value in parts.items() if value > ALARM), reverse=True)
        if worst:
            names = ", ".join(label for _, label in worst[:_LISTED] if label)
            more = f" and {len(worst) - _LISTED} more" if len(worst) > _LISTED else ""
            changes.append(f"{what} {worst[0][0]:.2f}" + (f" ({names}{more})" if names else ""))
    log.warning(
        'task "%s" has drifted: %s; %d events of the last %d hours, compared with %d of its reference (%g is a '
        "significant change)", watch.task, ", ".join(changes), recent.events, HOURS, watch.reference.events, ALARM,
    )  # fmt: skip
