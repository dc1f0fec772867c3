"""Names: user handles, and how word pieces become spans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

Span = tuple[int, int, str]


def is_handle(text: str, start: int) -> bool:
    """Return whether the token at ``start`` belongs to a user handle: its @ or its name."""
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    if start < len(text) and text[start] == "@":
        return start + 1 < len(text) and (text[start + 1].isalnum() or text[start + 1] == "_")
    return start > 0 and text[start - 1] == "@"


def decode(encoding: Encoding, scores: NDArray[np.float32], labels: Sequence[str], aggregation: str) -> set[Span]:
    """Return spans as transformers' token classification pipeline joins them: simple, first, average or max."""
    content = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    if aggregation == "simple":
        words = [[index] for index in content]
    else:
        words = []
        for index in content:
            if encoding.tokens[index].startswith("##") and words:
                words[-1].append(index)
            else:
                words.append([index])
    spans: list[tuple[int, int, str]] = []
    before = "O"
    for word in words:
        rows = scores[word]
        if aggregation == "average":
            row = rows.mean(0)
        elif aggregation == "max":
            row = rows[rows.max(1).argmax()]
        else:
            row = rows[0]
        label = labels[int(row.argmax())]
        start, end = encoding.offsets[word[0]][0], encoding.offsets[word[-1]][1]
        if label == "O":
            pass
        elif label[0] == "I" and before[2:] == label[2:]:
            spans[-1] = (spans[-1][0], end, label[2:])
        else:
            spans.append((start, end, label[2:]))
        before = label
    return set(spans)
