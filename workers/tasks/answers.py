"""Extractive question answering: decode the logits of a context's windows into answer spans.

A span's logit is the start logit of its first token plus the end logit of its last token. The logit of the null, "the
context does not answer", is the same sum at the classification token (Devlin et al. 2018, "BERT", section 4.3).
Unanswerable questions and the threshold tau are those of SQuAD 2.0 (Rajpurkar et al. 2018). Of several windows the
lowest null logit counts, because one window that answers is enough. Scores are a softmax over the best spans and the
null (google-research/bert, ``run_squad.py``).

The more windows there are, the higher is the highest logit of those that do not answer. For a head that is calibrated
for this, each window is judged by its difference to its own null, since logits of different windows do not compare
(Clark and Gardner 2018, "Simple and Effective Multi-Paragraph Reading Comprehension"), and the null's logit is a
multiple of the logarithm of their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from tokenizers import Encoding

from schemas.document import Part

POOL = 20
"""Number of spans that share the probability with the null, as in ``run_squad.py``."""
_CONTEXT = 1
_NOWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer span.

    - ``start``, ``end``: half-open range of code points in the context; there is no white space at either end.
    - ``score``: its probability, from 0 to 1.
    """

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers that a context gives to a question.

    - ``best``: the most probable span; None if the context does not answer.
    - ``null_score``: the probability that the context does not answer, comparable to ``Answer.score``: both are
      shares of one softmax over the logits of the null and of the ``POOL`` best spans of all windows. It is 0 if the
      question must have an answer, and 1 if there is no span at all.
    - ``alternatives``: the most probable spans, which do not overlap; ``best``, if there is one, comes first. They
      are listed even if ``best`` is None.
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
    parts: Sequence[Part] | None = None,
    window_margin: float | None = None,
) -> Answers:
    """Find the answers in ``text``, the context.

    Spans are chosen greedily: the one with the highest logit, then the highest that overlaps none chosen before. The
    same characters found in two windows, or by several pairs of tokens, thus count once, with their highest logit. Of
    equal logits the span that starts first wins, then the shorter one.

    Time is O(tokens * max_answer_tokens) for every window once, and again for the few windows that contain a chosen
    span; memory is the same for one window at a time.

    Args:
        text: the context.
        windows: encodings of (question, context) pairs whose context was cut, in text order; at least one.
        logits: per window ``[tokens, 2]``, start and end logits, all finite.
        n_best: the number of alternatives to return, at most ``POOL``; scores do not depend on it.
        max_answer_tokens: the most tokens of the context that a span may have.
        null_threshold: tau; ``best`` is None unless its logit exceeds the null's by more than tau. Scores do not
            depend on it.
        can_be_unanswerable: False ignores the null and always chooses the best span (SQuAD 1.1).
        parts: the parts of the context that a span may be in; None if it may be anywhere.
        window_margin: subtract its window's null from the logit of each span, and take ``window_margin`` times the
            natural logarithm of the number of windows for the null's; with one window, this changes nothing. None takes
            the logits as they are, and the lowest null; so does ``can_be_unanswerable=False``, which ignores nulls.
    """
    edges = _text_edges(text, parts)
    if not can_be_unanswerable:
        window_margin = None
    apart = window_margin is not None
    tables = [
        _Window(window, table, max_answer_tokens, edges, apart) for window, table in zip(windows, logits, strict=True)
    ]
    spans = _greedy(tables)
    null = min(table.null for table in tables) if window_margin is None else window_margin * math.log(len(tables))
    if not spans:
        return Answers(None, 1.0, ())
    weights = np.array([span.logit for span in spans] + [null] * can_be_unanswerable)
    weights = np.exp(weights - weights.max())
    shares = (weights / weights.sum()).tolist()
    answers = tuple(Answer(span.start, span.end, share) for span, share in zip(spans[:n_best], shares, strict=False))
    answered = not can_be_unanswerable or spans[0].logit > null + null_threshold
    return Answers(answers[0] if answered else None, shares[-1] if can_be_unanswerable else 0.0, answers)


class _Edges(NamedTuple):
    """Where text starts and ends around every position of the context: arrays ``[code points + 1]``.

    - ``starts``: the position of the next character from there on that is not white space; the length if there is none.
    - ``ends``: the end of the last such character before; 0 if there is none.
    - ``bounds``: the end of the part that the position is in, 0 between and behind the parts; None without parts.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    bounds: NDArray[np.int64] | None


class _Window:
    """The context's tokens in one window: their logits, and where their text starts and ends.

    The tables are ``[tokens, limit]``; row i, column k is the span of the tokens i to i + k. A span that would reach
    beyond the window gets the end 0, which makes it empty.
    """

    def __init__(
        self,
        window: Encoding,
        logits: NDArray[np.float32],
        limit: int,
        edges: _Edges,
        apart: bool,
    ) -> None:
        """``apart``: whether the logits of spans count from the window's null."""
        # Windows have no padding, so the first special token is the classification token. A model whose tokenizer
        # adds no special tokens was trained with the first token instead (transformers, run_qa.py).
        specials = window.special_tokens_mask
        null = specials.index(1) if 1 in specials else 0
        self.null = float(logits[null, 0]) + float(logits[null, 1])
        tokens = [token for token, side in enumerate(window.sequence_ids) if side == _CONTEXT]
        self._empty = not tokens
        if tokens:
            limit = min(limit, len(tokens))
            offsets = np.array(window.offsets, np.int64)[tokens]
            # In double precision the sum of two float32 logits is not rounded, so rounding creates no ties.
            start_logits, end_logits = logits[tokens].astype(np.float64).T
            if apart:
                start_logits = start_logits - self.null
            beyond = np.zeros(limit - 1, np.int64)
            self._starts = edges.starts[offsets[:, 0]]
            self._bounds = None if edges.bounds is None else edges.bounds[self._starts]
            self._ends = sliding_window_view(np.append(edges.ends[offsets[:, 1]], beyond), limit)
            self._start_logits = start_logits[:, None]
            self._end_logits = sliding_window_view(np.append(end_logits, beyond), limit)

    def best(self, taken: Sequence[_Span]) -> _Span | None:
        """Return the best span that overlaps none of ``taken``, or None."""
        if self._empty:
            return None
        # A span must end before the first taken span that does not end before its start.
        apart = sorted(taken)
        bounds = np.array([*(span.start for span in apart), _NOWHERE])
        bounds = bounds[np.searchsorted([span.end for span in apart], self._starts, side="right")]
        if self._bounds is not None:
            bounds = np.minimum(bounds, self._bounds)
        sums = self._start_logits + self._end_logits
        sums[(self._ends <= self._starts[:, None]) | (self._ends > bounds[:, None])] = -np.inf
        highest = sums.max()
        if highest == -np.inf:
            return None
        rows, columns = np.nonzero(sums == highest)
        start = self._starts[rows].min()
        end = self._ends[rows, columns][self._starts[rows] == start].min()
        return _Span(int(start), int(end), float(highest))


def _greedy(tables: Sequence[_Window]) -> list[_Span]:
    """Return the ``POOL`` best spans of all windows that do not overlap a better one, best first."""
    taken: list[_Span] = []
    candidates = [table.best(taken) for table in tables]
    while len(taken) < POOL:
        span = max(filter(None, candidates), key=lambda span: (span.logit, -span.start, -span.end), default=None)
        if span is None:
            break
        taken.append(span)
        # A candidate that does not overlap the new span is still the best of its window.
        for n, candidate in enumerate(candidates):
            if candidate and candidate.overlaps(span):
                candidates[n] = tables[n].best(taken)
    return taken


def _text_edges(text: str, parts: Sequence[Part] | None) -> _Edges:
    space = np.char.isspace(np.frombuffer(text.encode("utf-32-le"), "<U1"))
    places = np.arange(len(text), dtype=np.int64)
    following = np.where(space, len(text), places)[::-1]
    starts = np.append(np.minimum.accumulate(following)[::-1], len(text))
    ends = np.append(0, np.maximum.accumulate(np.where(space, 0, places + 1)))
    if parts is None:
        return _Edges(starts, ends, None)
    bounds = np.zeros(len(text) + 1, np.int64)
    for part in parts:
        bounds[part.start : part.end] = part.end
    return _Edges(starts, ends, bounds)
