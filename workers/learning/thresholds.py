"""Thresholds of a new score that flag as an old score did: as many texts, or texts as precisely.

A text is flagged if its score is at least the threshold, in the old system and in the new one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Match: TypeAlias = Literal["rate", "precision"]
"""What must stay the same: the share of flagged texts, or the share of flagged texts that are flagged rightly."""
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

FEWEST_ROWS = 20
"""With fewer rows there is no threshold."""
FEW = 10
"""With fewer flagged, or fewer other rows, the result has a note."""
_ROUNDS = (100, 1000)
"""The fewest and the most bootstrap samples."""
_SCORES_RESAMPLED = 20_000_000
"""About how many scores are sorted: of a large file, fewer samples are drawn."""
_DECIMALS = 6


class Judged(NamedTuple):
    """How many rows have the label.

    - ``positives``: of all; ``old_right``: of those that the old threshold flags; ``right``: of those that the new one
      flags.
    """

    positives: int
    old_right: int
    right: int = 0


@dataclass(frozen=True)
class Calibration:
    """The threshold of one attribute, and what it flags.

    - ``attribute``, ``label``: its name in the old scores and in the new ones.
    - ``rows``: rows with both scores; ``old_flagged``: how many of them the old threshold flags.
    - ``threshold``: of the new score; None if ``problem`` says why there is none.
    - ``low``, ``high``: the 95 % interval of the threshold, by bootstrap over rows.
    - ``flagged``, ``both``: how many rows the new threshold flags, and how many of these the old one also flags.
    - ``judged``: with labels, how many rows have the label; None without.
    - ``notes``: what one should know before using the threshold.
    """

    attribute: str
    label: str
    rows: int
    old_threshold: float
    old_flagged: int
    threshold: float | None = None
    low: float = math.nan
    high: float = math.nan
    flagged: int = 0
    both: int = 0
    judged: Judged | None = None
    problem: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """The share of rows that both thresholds treat alike; not a number without rows."""
        differ = (self.old_flagged - self.both) + (self.flagged - self.both)
        return 1 - differ / self.rows if self.rows else math.nan


def calibrate(
    attribute: str, label: str, old: Floats, new: Floats, *, old_threshold: float, truth: Bools | None = None,
    match: Match = "rate", seed: int = 0,
) -> Calibration:  # fmt: skip
    """Find the threshold of ``new`` that flags as ``old_threshold`` does on ``old``.

    Args:
        attribute: the name of the old score.
        label: the name of the new score.
        old: the old scores ``[rows]``, finite.
        new: the new scores ``[rows]`` of the same rows, 0 to 1.
        old_threshold: the lowest old score that is flagged.
        truth: whether each row has the label; required for ``match="precision"``.
        match: "rate" for the nearest number of flagged rows, "precision" for the most flagged rows among thresholds at
            least as precise as the old one.
        seed: of the bootstrap.
    """
    flags = old >= old_threshold
    count, rows = int(flags.sum()), len(new)
    judged = None if truth is None else Judged(int(truth.sum()), int((flags & truth).sum()))
    problem = _problem(rows, count, new, judged, match)
    if problem is not None:
        return Calibration(attribute, label, rows, old_threshold, count, judged=judged, problem=problem)

    def choose(chosen: NDArray[np.intp] | slice) -> _Cut:
        wanted = flags[chosen]
        if match == "rate" or truth is None:
            return nearest(new[chosen], int(wanted.sum()))
        right = truth[chosen]
        return as_precise(new[chosen], right, int((wanted & right).sum()), int(wanted.sum()))

    cut = choose(slice(None))
    threshold = readable(cut.below, cut.value)
    low, high = _interval(choose, rows, seed)
    now = new >= threshold
    if judged is not None and truth is not None:
        judged = judged._replace(right=int((now & truth).sum()))
    return Calibration(
        attribute, label, rows, old_threshold, count, threshold, min(low, threshold), max(high, threshold),
        int(now.sum()), int((now & flags).sum()), judged=judged, notes=_notes(cut, rows, count, judged, match),
    )  # fmt: skip


@dataclass(frozen=True)
class _Cut:
    """A place to cut between two scores.

    - ``value``: the lowest score that is flagged; ``below``: the highest that is not, 0 if all are flagged.
    - ``flagged``: how many are; ``others``: the number that the next place in the other direction would flag.
    - ``ties``: how many have exactly ``value``. ``reached``: whether the aim is reached as well as it can be asked.
    """

    value: float
    below: float
    flagged: int
    other: int | None = None
    ties: int = 1
    reached: bool = True


def nearest(scores: Floats, count: int) -> _Cut:
    """Cut so that the number of flagged ``scores``, not empty, is nearest to ``count``; of two, the larger number."""
    values, flagged = _cuts(scores)
    distance = np.abs(flagged - count)
    best = int(len(distance) - 1 - np.argmin(distance[::-1]))
    other = best + 1 if flagged[best] < count else best - 1
    return _cut(
        values, flagged, best, int(flagged[other]) if 0 <= other < len(values) else None, int(flagged[best]) == count
    )


def as_precise(scores: Floats, truth: Bools, right: int, count: int) -> _Cut:
    """Cut so that most ``scores`` are flagged while the share of them in ``truth`` is at least ``right / count``.

    If no cut is that precise, the most precise one is taken. ``count`` 0 asks for a precision of 1.
    """
    values, flagged = _cuts(scores)
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])[flagged - 1]
    wanted = (right, count) if count else (1, 1)
    enough = np.flatnonzero(hits * wanted[1] >= flagged * wanted[0])  # in whole numbers, so without rounding
    precision = hits / flagged
    best = int(enough[-1]) if len(enough) else int(len(values) - 1 - np.argmax(precision[::-1]))
    return _cut(values, flagged, best, None, bool(len(enough)))


def readable(below: float, value: float) -> float:
    """Return the number with the fewest decimals that is above ``below``, at most ``value``, and near their middle."""
    for decimals in range(2, _DECIMALS + 1):
        scale = 10**decimals
        for number in (round((below + value) / 2, decimals), math.floor(value * scale) / scale):
            if below < number <= value:
                return number
    return value


def _cuts(scores: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct scores from the highest to the lowest, and how many scores are at least as high as each."""
    values, counts = np.unique(scores, return_counts=True)
    return values[::-1], np.cumsum(counts[::-1])


def _cut(values: Floats, flagged: NDArray[np.int64], best: int, other: int | None, reached: bool) -> _Cut:
    below = float(values[best + 1]) if best + 1 < len(values) else min(0.0, float(values[best]))
    ties = int(flagged[best] - (flagged[best - 1] if best else 0))
    return _Cut(float(values[best]), below, int(flagged[best]), other, ties, reached)


def _interval(choose: Callable[[NDArray[np.intp]], _Cut], rows: int, seed: int) -> tuple[float, float]:
    rounds = min(max(_SCORES_RESAMPLED // rows, _ROUNDS[0]), _ROUNDS[1])
    random = np.random.default_rng(seed)
    values = [choose(random.integers(0, rows, rows)).value for _ in range(rounds)]
    low, high = np.quantile(values, (0.025, 0.975))
    return round(float(low), _DECIMALS), round(float(high), _DECIMALS)


def _problem(rows: int, count: int, new: Floats, judged: Judged | None, match: Match) -> str | None:
    if rows < FEWEST_ROWS:
        return f"{rows:,} rows have both scores, and at least {FEWEST_ROWS} are needed"
    if count in (0, rows):
        return f"the old threshold flags {'none' if count == 0 else 'all'} of {rows:,} rows, so nothing can be matched"
    if float(new.min()) == float(new.max()):
        return f"all new scores are equal ({new[0]:g}), so no threshold parts them"
    if match == "precision" and not (judged and judged.old_right):
        return f"none of the {count:,} rows that the old threshold flags has the label"
    return None


def _notes(cut: _Cut, rows: int, count: int, judged: Judged | None, match: Match) -> list[str]:
    notes = []
    if (few := min(count, rows - count)) < FEW:
        side = "flagged" if few == count else "not flagged"
        notes.append(f"only {few:,} of {rows:,} rows {'is' if few == 1 else 'are'} {side}: the threshold is uncertain")
    if match == "rate" and not cut.reached:
        other = "" if cut.other is None else f" or {cut.other / rows:.2%}"
        notes.append(
            f"{cut.ties:,} row{'s' * (cut.ties > 1)} with the new score {cut.value:g} cannot be told apart: "
            f"{cut.flagged / rows:.2%}{other} can be reached, not {count / rows:.2%}"
        )
    if judged is not None and match == "precision" and not cut.reached:
        notes.append(f"no threshold is as precise as the old one ({judged.old_right / count:.1%})")
    return notes
