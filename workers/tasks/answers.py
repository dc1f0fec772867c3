"""Extractive question answering: which span of a context answers a question, from the logits of its windows.

A span's logit is its first token's start logit plus its last token's end logit, and no answer is read off the
classification token (Devlin et al. 2018, "BERT", section 4.3). What has no answer and what tau means is SQuAD 2.0's
(Rajpurkar et al. 2018). Over windows the lowest null logit counts, since one window that answers is enough, and
scores are a softmax over the best spans and the null (google-research/bert, ``run_squad.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from tokenizers import Encoding

POOL = 20
"""Spans that share the probability with the null, as many as ``run_squad.py`` has."""
_CONTEXT = 1
_NOWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Answer:
    """``start`` and ``end``: half-open code points of the context, without white space at either end."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Answers:
    """What a context says to a question.

    - ``best``: the surest span; None where the context does not answer.
    - ``null_score``: the probability that the context does not answer, on the scale of ``Answer.score``: both
      are shares of one softmax over the logits of the null and of the ``POOL`` best spans, whatever window they
      are from. 0 where no answer was not allowed, 1 where there is no span at all.
    - ``alternatives``: the surest spans, none overlapping another; ``best``, where there is one, is the first.
      They are listed also where ``best`` is None.
    """

    best: Answer | None
    null_score: float
    alternatives: tuple[Answer, ...]


class _Span(NamedTuple):
    start: int
    end: int
    logit: float

    def overlaps(self, other: _Span) -> bool:
        return self.start < other.end and other.start < self.end


def decode(
    text: str,
    windows: Sequence[Encoding],
    logits: Sequence[NDArray[np.float32]],
    *,
    n_best: int,
    max_answer_tokens: int,
    null_threshold: float,
    can_be_unanswerable: bool,
) -> Answers:
    """The answers in ``text``, the context.

    - ``windows``: encodings of (question, context), the context cut.
    - ``logits``: for each window ``[tokens, 2]``, start and end, finite.
    - ``n_best``: alternatives wanted, at most ``POOL``; scores do not depend on it.
    - ``max_answer_tokens``: tokens of the context a span may have.
    - ``null_threshold``: tau; ``best`` is None unless its logit is above the null's plus tau. A tau other than 0 does
      not move scores.
    - ``can_be_unanswerable``: False takes the best span whatever the null says (SQuAD 1.1).

    Spans are taken greedily: the one with the highest logit, then the highest that overlaps none taken before, so
    the same characters found in two windows, or by several pairs of tokens, count once, with their highest logit.
    Of equal logits the span that starts first wins, then the shortest.

    Time is O(tokens * max_answer_tokens) for each window once, and again for the few a taken span lies in; memory the
    same for one window at a time.
    """
    starts, ends = _text_edges(text)
    parts = [
        _Window(window, table, max_answer_tokens, starts, ends) for window, table in zip(windows, logits, strict=True)
    ]
    spans = _greedy(parts)
    null = min(part.null for part in parts)
    if not spans:
        return Answers(None, 1.0, ())
    weights = np.array([span.logit for span in spans] + [null] * can_be_unanswerable)
    weights = np.exp(weights - weights.max())
    shares = (weights / weights.sum()).tolist()
    answers = tuple(Answer(span.start, span.end, share) for span, share in zip(spans[:n_best], shares, strict=False))
    answered = not can_be_unanswerable or spans[0].logit > null + null_threshold
    return Answers(answers[0] if answered else None, shares[-1] if can_be_unanswerable else 0.0, answers)


class _Window:
    """The context's tokens of one window: their logits, and where their text starts and ends.

    Its tables are ``[tokens, limit]``; row i, column k is the span of the tokens i to i + k. A span that would reach
    beyond the window ends at 0.
    """

    def __init__(
        self,
        window: Encoding,
        logits: NDArray[np.float32],
        limit: int,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        # The classification token is the first special one, for windows come without padding. A model whose
        # tokenizer adds none was trained with its first token (transformers, run_qa.py).
        specials = window.special_tokens_mask
        null = specials.index(1) if 1 in specials else 0
        self.null = float(logits[null, 0]) + float(logits[null, 1])
        own = [token for token, side in enumerate(window.sequence_ids) if side == _CONTEXT]
        self._empty = not own
        if own:
            limit = min(limit, len(own))
            offsets = np.array(window.offsets, np.int64)[own]
            # In double precision, where a sum of two singles does not round and makes no ties of its own.
            start_logits, end_logits = logits[own].astype(np.float64).T
            beyond = np.zeros(limit - 1, np.int64)
            self._starts = starts[offsets[:, 0]]
            self._ends = sliding_window_view(np.append(ends[offsets[:, 1]], beyond), limit)
            self._start_logits = start_logits[:, None]
            self._end_logits = sliding_window_view(np.append(end_logits, beyond), limit)

    def best(self, taken: Sequence[_Span]) -> _Span | None:
        """The best span that overlaps none of ``taken``; None where there is none."""
        if self._empty:
            return None
        # A span has to end before the first taken one that does not end before it.
        apart = sorted(taken)
        bounds = np.array([*(span.start for span in apart), _NOWHERE])
        bounds = bounds[np.searchsorted([span.end for span in apart], self._starts, side="right")]
        sums = self._start_logits + self._end_logits
        sums[(self._ends <= self._starts[:, None]) | (self._ends > bounds[:, None])] = -np.inf
        highest = sums.max()
        if highest == -np.inf:
            return None
        rows, columns = np.nonzero(sums == highest)
        start = self._starts[rows].min()
        end = self._ends[rows, columns][self._starts[rows] == start].min()
        return _Span(int(start), int(end), float(highest))


def _greedy(parts: Sequence[_Window]) -> list[_Span]:
    """The ``POOL`` best spans of all windows that overlap no better one, best first."""
    taken: list[_Span] = []
    candidates = [part.best(taken) for part in parts]
    while len(taken) < POOL:
        span = max(filter(None, candidates), key=lambda span: (span.logit, -span.start, -span.end), default=None)
        if span is None:
            break
        taken.append(span)
        # A window whose candidate is still free has no better one: taking only ever forbids.
        for n, candidate in enumerate(candidates):
            if candidate and candidate.overlaps(span):
                candidates[n] = parts[n].best(taken)
    return taken


def _text_edges(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two arrays ``[code points + 1]``: the first position from i on that is no white space (``len(text)``
    where there is none), and the end of the last such before i (0 where there is none).
    """
    space = np.char.isspace(np.frombuffer(text.encode("utf-32-le"), "<U1"))
    places = np.arange(len(text), dtype=np.int64)
    following = np.where(space, len(text), places)[::-1]
    starts = np.append(np.minimum.accumulate(following)[::-1], len(text))
    ends = np.append(0, np.maximum.accumulate(np.where(space, 0, places + 1)))
    return starts, ends
