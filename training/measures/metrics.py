"""Formulas from counts to a number between 0 and 1, or NaN if there was nothing to count."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

NAN = math.nan
Span = tuple[int, int, str]
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else NAN


def f_score(hits: float, predicted: float, gold: float, beta: float = 1.0) -> float:
    """F of ``hits`` among ``found`` and ``gold``; ``beta`` times as much weight on recall (van Rijsbergen 1979)."""
    return ratio((1 + beta**2) * hits, beta**2 * gold + predicted)


def f2(hits: float, predicted: float, gold: float) -> float:
    return f_score(hits, predicted, gold, 2.0)


def span_counts(gold: set[Span], predicted: set[Span]) -> tuple[int, int, int]:
    """(equal in start, end and label; found; gold)"""
    return len(gold & predicted), len(predicted), len(gold)


def loose_counts(text: str, gold: Iterable[Span], predicted: Iterable[Span]) -> tuple[int, int, int]:
    """Count as presidio-research's ``SpanEvaluator``.

    Spans of one label with only punctuation between them are merged, and two spans of one label are equal if they share
    nine tenths of their letters and digits.
    """
    candidates, targets = _joined(text, predicted), _joined(text, gold)
    hits = 0
    left = list(candidates)
    for span in targets:
        match = next(
            (candidate for candidate in left if candidate[2] == span[2] and _alike(text, candidate, span)), None
        )
        if match is not None:
            left.remove(match)
            hits += 1
    return hits, len(candidates), len(targets)


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    out: list[Span] = []
    for span in sorted(spans):
        if out and out[-1][2] == span[2] and not _letters(text, out[-1][1], span[0]):
            out[-1] = (out[-1][0], span[1], span[2])
        else:
            out.append(span)
    return out


def _alike(text: str, first: Span, second: Span) -> bool:
    a, b = _letters(text, *first[:2]), _letters(text, *second[:2])
    return len(a & b) >= 0.9 * len(a | b) > 0


def _letters(text: str, start: int, end: int) -> set[int]:
    return {place for place in range(start, end) if text[place].isalnum()}


def touched(gold: Iterable[Span], predicted: Iterable[Span]) -> int:
    """Return how many of ``gold`` share a character with any of ``found``, whatever their labels."""
    places = list(predicted)
    return sum(any(start < b and a < end for a, b, _ in places) for start, end, _ in gold)


def over_token(words: Sequence[Span], start: int, end: int) -> str | None:
    """Return the label of the word with a token's first character, or of the one that overlaps it most, or None.

    All tokens within one word get its label, so if their labels differ, only some can be right.
    """
    near = [word for word in words if word[0] < end and start < word[1]]
    best = max(near, key=lambda word: (word[0] <= start, min(word[1], end) - max(word[0], start)), default=None)
    return None if best is None else best[2]


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Rank correlation; equal values share their mean rank."""
    a, b = _ranks(first), _ranks(second)
    return float(np.corrcoef(a, b)[0, 1]) if a.std() and b.std() else NAN


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def normalised(answer: str) -> str:
    """Normalise an answer like SQuAD's ``evaluate-v1.1.py``: lower case, no punctuation, no articles."""
    bare = "".join(character for character in answer.lower() if character not in string.punctuation)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(predicted: str, gold: Iterable[str]) -> float:
    return float(any(normalised(predicted) == normalised(answer) for answer in gold))


def token_f1(predicted: str, gold: Iterable[str]) -> float:
    """The best overlap of words with any of the right answers (Rajpurkar et al. 2016)."""
    return max(_overlap(normalised(predicted).split(), normalised(answer).split()) for answer in gold)


def _overlap(predicted: list[str], gold: list[str]) -> float:
    if not predicted or not gold:
        return float(predicted == gold)
    return f_score((Counter(predicted) & Counter(gold)).total(), len(predicted), len(gold))
