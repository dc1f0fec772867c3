"""Logs how often a task and its shadow agree; never text of an event."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.document import Failure
from stream.output.letter_log import described

log = logging.getLogger("glossator.shadows")

_WINDOW = 60.0
"""Seconds between two lines about a shadow."""
_PAIRS = 5
"""Pairs of different labels that are named in a line, the commonest first."""


@dataclass
class Agreement:
    """What has been counted of a task and its shadow since their configuration took over.

    Attributes:
        outcomes: Events by outcome: ``agree``, ``disagree``, ``one_sided`` (only one of the two has an annotation) and
            ``failed`` (the shadow).
        pairs: How often the task and its shadow gave something these two labels.
        flagged: Events flagged by the ``task`` and by the ``shadow``; empty for tasks that give every event a label.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)


class ShadowLog:
    """Logs an agreement once a minute while it changes, and the first failure of a shadow at once. For one thread."""

    def __init__(
        self, task: str, shadow: str, agreement: Agreement, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``task`` and ``shadow``: their names; ``agreement``: what is counted; ``clock``: returns seconds."""
        self._name = f'shadow "{shadow}" of "{task}"'
        self._agreement = agreement
        self._clock = clock
        self._due: float | None = None
        """When the next line is due; None while nothing has changed."""
        self._has_failed = self._has_lost = False

    def note(self) -> None:
        """Note that the agreement has changed."""
        if self._due is None:
            self._due = self._clock() + _WINDOW

    def failed(self, failure: Failure) -> None:
        """Log why the shadow failed for the first time; other failures are in the counts."""
        if not self._has_failed:
            self._has_failed = True
            log.warning(
                "%s fails, events are published without it: %s; other failures are only counted",
                self._name, described(failure),
            )  # fmt: skip

    def lost(self, failure: Failure) -> None:
        """Log why a record about a disagreement cannot be made, the first time."""
        if not self._has_lost:
            self._has_lost = True
            log.warning(
                "a disagreement cannot be written: %s; others are only counted, and the events are not affected",
                described(failure),
            )

    def tick(self) -> None:
        """Log a line if one is due."""
        if self._due is not None and self._clock() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Log a line if anything has changed since the last one."""
        if self._due is not None:
            self._due = None
            log.info("%s: %s", self._name, summary(self._agreement))


def summary(agreement: Agreement) -> str:
    """Return an agreement in words: how many events were compared, agreement, flag rates, and what differs most."""
    outcomes, compared = agreement.outcomes, agreement.outcomes["agree"] + agreement.outcomes["disagree"]
    parts = [f"{compared:,} events compared"]
    if compared:
        parts[0] += f", {_percent(outcomes['agree'], compared)} agree"
        if agreement.flagged:
            rates = (_percent(agreement.flagged[by], compared) for by in ("task", "shadow"))
            parts.append("flagged by the task {}, by the shadow {}".format(*rates))
        different = [(pair, count) for pair, count in agreement.pairs.most_common() if pair[0] != pair[1]]
        if different:
            shown = (f"{first} / {second} {count:,}" for (first, second), count in different[:_PAIRS])
            parts.append(f"most different: {', '.join(shown)}")
    for outcome, words in (("one_sided", "annotated by only one of them"), ("failed", "failed")):
        if outcomes[outcome]:
            parts.append(f"{outcomes[outcome]:,} {words}")
    return "; ".join(parts)


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.2%}".replace("%", " %")
