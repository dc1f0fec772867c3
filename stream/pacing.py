"""When a micro-batch is cut, and how large it may get: by fixed limits, or by a goal for the latency.

Pure: the caller measures the times.
"""

from __future__ import annotations

from typing import Protocol

from schemas.pipeline.config import Batching

_GROWTH, _SHRINKAGE = 0.001, 0.1
"""What a micro-batch in time adds to the used share of the goal, and a late one takes from it: the two are in balance
when about one in a hundred is late."""
_FIRST_SHARE, _MOST_SHARE = 0.6, 0.9
_SIZE_SHARE = 0.3
"""Micro-batches may always be so large that their forwards last half of this share of the goal."""
_EFFICIENT = 20
"""Micro-batches may always be so large that their tokens take this many times as long as the fixed part of forwards."""
_DECAY = 0.99
"""Weight of all earlier micro-batches after each new one: about the last hundred count."""


class Pacing(Protocol):
    """The limits of micro-batches. No method blocks.

    ``tokens`` and ``linger`` may be called from any thread; ``computed`` and ``sent`` each have one thread that calls
    them. ``waited`` is the seconds since the first event of a micro-batch was polled.
    """

    def tokens(self, waited: float) -> int:
        """Return with how many tokens a micro-batch is full, at least 1."""

    def linger(self, waited: float, tokens: int) -> float:
        """Return for how many more seconds a micro-batch of ``tokens`` may wait for events; negative if late."""

    def computed(self, tokens: int, seconds: float) -> None:
        """Learn how many ``seconds`` all forwards of a micro-batch of ``tokens`` took, none of which began earlier."""

    def sent(self, waited: float) -> None:
        """Learn that a micro-batch has been sent, ``waited`` seconds after its first event was polled."""


class FixedPacing:
    """Micro-batches have at most ``most`` tokens, and the first event waits ``linger`` seconds for others."""

    def __init__(self, most: int, linger: float) -> None:
        self._most, self._linger = most, linger

    def tokens(self, waited: float) -> int:
        """Return the limit."""
        return self._most

    def linger(self, waited: float, tokens: int) -> float:
        """Return what is left of the linger time."""
        return self._linger - waited

    def computed(self, tokens: int, seconds: float) -> None:
        """Learn nothing."""

    def sent(self, waited: float) -> None:
        """Learn nothing."""


class GoalPacing:
    """Micro-batches wait for as long as a goal for the latency allows, because large ones cost less per event.

    - Forwards of n tokens are taken to last ``fixed + each * n`` seconds: a line through what was measured, by least
      squares with weights that fade.
    - A micro-batch lingers until its first event would have the age ``budget`` at the end of the forwards. New events
      bring that moment closer, so the arrival rate need not be known.
    - It is full when forwards would last half of the budget: an event may come just after a cut, and then waits for
      the forwards of two micro-batches. If the budget is small, or such forwards would be short, a larger size is
      allowed, at which they are efficient.
    - The budget is a share of the goal. It grows by a step with each micro-batch that is sent in time, and shrinks by
      a hundred steps with each late one. Where the goal cannot be met it is zero, so that no event lingers.
    - If the first event is older than the goal already, throughput counts: a micro-batch is as large as it may be.

    That a latency objective sizes batches, and grows slowly and shrinks fast, is from Clipper (Crankshaw et al., NSDI
    2017, section 4.3). There it is the size that does; here the line gives the size, which is steady under steady load.
    """

    def __init__(self, goal: float, most: int) -> None:
        """``goal``: seconds from the poll of an event until it is sent; ``most``: tokens of a micro-batch."""
        self._goal, self._most = goal, most
        self._share = _FIRST_SHARE
        # Weights, tokens, seconds, squared tokens, and tokens times seconds.
        self._sums = (0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def budget(self) -> float:
        """The age in seconds that an event may have when its forwards end."""
        return self._share * self._goal

    def tokens(self, waited: float) -> int:
        """Return with how many tokens a micro-batch is full, 1 to ``most``."""
        fixed, each = self._line()
        if waited > self._goal or not each:
            return self._most
        budget = max(self.budget, _SIZE_SHARE * self._goal)
        size = max(budget / 2 - fixed, _EFFICIENT * fixed) / each
        return max(1, int(min(self._most, size)))

    def linger(self, waited: float, tokens: int) -> float:
        """Return the seconds after which the forwards must begin."""
        fixed, each = self._line()
        return self.budget - waited - fixed - each * tokens

    def computed(self, tokens: int, seconds: float) -> None:
        """Fit the line to one more micro-batch."""
        weight, x, y, xx, xy = self._sums
        self._sums = (
            _DECAY * weight + 1, _DECAY * x + tokens, _DECAY * y + seconds, _DECAY * xx + tokens * tokens,
            _DECAY * xy + tokens * seconds,
        )  # fmt: skip

    def sent(self, waited: float) -> None:
        """Use more of the goal if the micro-batch is in time, less if it is late."""
        share = self._share + (_GROWTH if waited <= self._goal else -_SHRINKAGE)
        self._share = min(_MOST_SHARE, max(0.0, share))

    def _line(self) -> tuple[float, float]:
        """Return the fixed seconds of a micro-batch's forwards, and the seconds of each token; none is negative."""
        weight, x, y, xx, xy = self._sums
        if not weight:
            return 0.0, 0.0
        if not x:
            return y / weight, 0.0
        spread = xx * weight - x * x
        slope = (xy * weight - x * y) / spread if spread > 1e-9 * xx * weight else y / x
        each = min(max(slope, 0.0), y / x)
        return (y - each * x) / weight, each


def make_pacing(batching: Batching) -> Pacing:
    """Return what ``batching`` asks for."""
    if batching.target_latency_ms is not None:
        return GoalPacing(batching.target_latency_ms / 1000, batching.max_tokens)
    return FixedPacing(batching.max_tokens, batching.linger_ms / 1000)
