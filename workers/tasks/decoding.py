"""The most probable sequence of labels (Viterbi 1967), by the scheme of the labels and by what a head has learnt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.encoder.reading import Scores
from workers.tasks.schemes import OUTSIDE, Bools, Scheme

_FORBIDDEN = -1e4
"""The log-probability of an invalid transition: finite, so that there is a path even if no valid one exists."""

Logs = NDArray[np.float64]


class Decoder:
    """Finds the labels of the units, tokens or words, of a text together. Any thread may use it.

    A path is worth the log-probabilities of its labels and what its transitions add: nothing if the scheme allows them,
    and what the head has learnt (a linear-chain conditional random field: Lafferty et al. 2001). What is outside the
    text counts as ``O``, and so does what separates two units.
    """

    def __init__(self, scheme: Scheme, learnt: NDArray[np.float32] | None = None) -> None:
        """``learnt``: ``[labels, labels]``, what each label adds to the next one; needs a label ``O``."""
        self._scheme = scheme
        self._learnt = learnt is not None
        closed = scheme.ends[:, None] & scheme.starts
        self._across = np.where(closed, 0.0, _FORBIDDEN)
        self._follows = np.where(closed | scheme.joins, 0.0, _FORBIDDEN)
        self._first = np.where(scheme.starts, 0.0, _FORBIDDEN)
        self._last = np.where(scheme.ends, 0.0, _FORBIDDEN)
        self._inside = np.array([kind != OUTSIDE for kind in scheme.kinds])
        if learnt is not None:
            outside = scheme.kinds.index(OUTSIDE)
            first, last = learnt[outside], learnt[:, outside]
            self._across += last[:, None] + first
            self._follows += learnt
            self._first += first
            self._last += last
            self._outside = outside
            self._same_kind = scheme.same_kind.astype(np.float32)
            self._factors = np.exp(np.where(scheme.same_kind, self._gains(), 0.0).max(axis=1))

    def _gains(self) -> Logs:
        """Return the most that transitions can add to a path if one label that is ``O`` becomes another."""
        before = (self._follows - self._follows[:, [self._outside]]).max(axis=0)
        after = (self._follows - self._follows[self._outside]).max(axis=1)
        # Where the scheme forbids "O", any other label may win. The limit keeps the factors within float32.
        gains: Logs = np.clip(before, 0, 40) + np.clip(after, 0, 40)
        return gains

    def candidates(self, table: Scores) -> NDArray[np.intp]:
        """Return the tokens that may be in a span; all others are ``O`` in the most probable sequence.

        ``table``: probabilities ``[tokens, labels]``. Whichever of its tokens a word's scores are taken from, it is
        ``O`` unless one of them is returned. If nothing was learnt, these are all tokens, or none if each by itself is
        ``O``.
        """
        if not self._learnt:
            return np.arange(len(table) if self._inside[table.argmax(axis=1)].any() else 0)
        # The labels of a kind share its probability, for a word in another way than for its tokens.
        likely = (table @ self._same_kind * self._factors)[:, self._inside]
        return np.flatnonzero(likely.max(axis=1) >= table[:, self._outside])

    def decode(self, scores: Scores, gaps: Bools, edges: tuple[bool, bool]) -> list[int]:
        """Return the number of each unit's label.

        Args:
            scores: probabilities ``[units, labels]``.
            gaps: ``[units - 1]``, whether something that is in no span separates a unit from the next one.
            edges: whether a span may neither begin before the first unit, nor end after the last one. Where a
                window of a text was cut, it may.
        """
        if not self._learnt:
            best = scores.argmax(axis=1)
            if self._valid(best, gaps, edges):
                return best.tolist()  # type: ignore[no-any-return]
        rows = np.log(np.maximum(scores, 1e-30, dtype=np.float64))
        columns = np.arange(rows.shape[1])
        total = rows[0] + (self._first if edges[0] else 0.0)
        origins = []
        for row, gap in zip(rows[1:], gaps.tolist(), strict=True):
            candidates = total[:, None] + (self._across if gap else self._follows)
            origin = candidates.argmax(axis=0)
            origins.append(origin)
            total = candidates[origin, columns] + row
        path = [int((total + (self._last if edges[1] else 0.0)).argmax())]
        for origin in reversed(origins):
            path.append(int(origin[path[-1]]))
        return path[::-1]

    def _valid(self, labels: NDArray[np.intp], gaps: Bools, edges: tuple[bool, bool]) -> bool:
        """Return whether the scheme allows these labels."""
        scheme = self._scheme
        apart = scheme.ends[labels[:-1]] & scheme.starts[labels[1:]]
        together = scheme.joins[labels[:-1], labels[1:]] & ~gaps
        within = bool((apart | together).all())
        return within and bool((scheme.starts[labels[0]] or not edges[0]) and (scheme.ends[labels[-1]] or not edges[1]))
