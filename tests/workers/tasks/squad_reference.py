"""SQuAD 2.0 decoding written plainly from the papers, to compare with: every pair of tokens, one after another.

- Devlin et al. 2018, section 4.3: a span's score is S·T_i + E·T_j with j >= i, the null's S·C + E·C; an
  answer is predicted when the best span's score is above the null's plus tau.
- Over windows: the lowest null; of a span seen twice the highest score; softmax over the 20 best and the null.
- Of overlapping spans the better stays; of equal ones the earlier, then the shorter.
"""

from __future__ import annotations

import math
from typing import Any

Span = tuple[int, int, float]


def answers(
    text: str,
    windows: list[Any],
    logits: list[Any],
    n_best: int,
    longest: int,
    tau: float,
    may_be_null: bool,
    parts: list[tuple[int, int]] | None = None,
    margin: float | None = None,
) -> tuple[Span | None, float, list[Span]]:
    """The best span or None, the null's probability, and the n-best; a span is (start, end, probability).

    With ``parts``, (start, end) in the text, a span must be in one of them. With ``margin``, a span counts from the
    null of its window, and the null is ``margin`` times the logarithm of the number of windows.
    """
    score_of: dict[tuple[int, int], float] = {}
    nulls = []
    for window, table in zip(windows, logits, strict=True):
        rows = table.tolist()
        specials = [n for n in range(len(rows)) if window.special_tokens_mask[n] == 1]
        nulls.append(rows[specials[0]][0] + rows[specials[0]][1])
        for i in range(len(rows)):
            for j in range(i, min(i + longest, len(rows))):
                if window.sequence_ids[i] != 1 or window.sequence_ids[j] != 1:
                    continue
                start, end = window.offsets[i][0], window.offsets[j][1]
                while start < end and text[start].isspace():
                    start += 1
                while start < end and text[end - 1].isspace():
                    end -= 1
                if start < end and (parts is None or any(first <= start and end <= last for first, last in parts)):
                    score = rows[i][0] + rows[j][1] - (0.0 if margin is None else nulls[-1])
                    score_of[start, end] = max(score, score_of.get((start, end), score))
    kept: list[Span] = []
    for (start, end), score in sorted(score_of.items(), key=lambda item: (-item[1], item[0])):
        if len(kept) < 20 and all(end <= other[0] or other[1] <= start for other in kept):
            kept.append((start, end, score))
    if not kept:
        return None, 1.0, []
    null = min(nulls) if margin is None else margin * math.log(len(nulls))
    top = max(null, kept[0][2])
    null_weight = math.exp(null - top) if may_be_null else 0.0
    total = null_weight + math.fsum(math.exp(score - top) for _, _, score in kept)
    listed = [(start, end, math.exp(score - top) / total) for start, end, score in kept][:n_best]
    said = not may_be_null or kept[0][2] > null + tau
    return (listed[0] if said else None), null_weight / total, listed
