"""Label schemes of token classifiers: how ``B-PER`` or ``PER-E`` tells where a span begins and ends.

The scheme is recognised from the labels alone. All schemes reduce to four positions (begin, inside, end, single) under
different letters:

- IO, IOB1, IOB2 (BIO): ``B``, ``I``. Every sequence of labels is valid, as in transformers.
- IOE: ``I``, ``E``. BIOES (IOBES), BILOU, BMES, BMEWO: with ``E`` or ``L`` for the end, ``S``, ``U`` or ``W`` for a
  span of one token, and ``M`` for inside. Here most sequences are invalid, so the most probable valid one is searched.

The position comes before the kind or after it, with ``-`` or ``_`` between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workers.encoder.reading import Scores

OUTSIDE = "O"

_BEGIN, _INSIDE, _END, _SINGLE = "B", "I", "E", "S"
_POSITIONS = {
    "B": _BEGIN, "I": _INSIDE, "M": _INSIDE, "E": _END, "L": _END, "S": _SINGLE, "U": _SINGLE, "W": _SINGLE,
}  # fmt: skip
_LETTERS = "[" + "".join(_POSITIONS) + "]"
_USUAL = re.compile(f"(?P<letter>{_LETTERS})-(?P<kind>.+)")
_OTHERS = (
    re.compile(f"(?P<letter>{_LETTERS})_(?P<kind>.+)"),
    re.compile(f"(?P<kind>.+)-(?P<letter>{_LETTERS})"),
    re.compile(f"(?P<kind>.+)_(?P<letter>{_LETTERS})"),
)
# Labels for padding and special tokens, which follow no scheme.
_IGNORED = re.compile(r"O|X|PAD|UNK|\[\w+\]|<\w+>")

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scheme:
    """What the labels of a head say about spans; every field has one entry per label.

    - ``kinds``: the label without its position; the label itself if it has none.
    - ``names``: the name of a joined span.
    - ``joins``: ``[labels, labels]``, whether a token with the second label continues the span of the first.
    - ``starts``, ``ends``: whether a span may begin, or end, with the label. True for ``O``.
    - ``opens``: whether the label says that a span begins, and another label of its kind that a span continues.
    """

    kinds: tuple[str, ...]
    names: tuple[str, ...]
    joins: Bools
    starts: Bools
    ends: Bools
    opens: Bools

    @property
    def constrained(self) -> bool:
        """Whether some sequences of labels are invalid."""
        return not (self.starts.all() and self.ends.all())

    @cached_property
    def same_kind(self) -> Bools:
        """``[labels, labels]``, whether two labels are of one kind."""
        kinds = np.array(self.kinds)
        same: Bools = kinds[:, None] == kinds
        return same

    def of_words(self, scores: Scores, first: Scores, last: Scores) -> Scores:
        """Return the scores of words' labels: whether a word begins and ends a span is told by its outer tokens.

        A word of several tokens is a span if its first token begins one and its last token ends it, so no single token
        has the position of the word.

        Args:
            scores: probabilities ``[words, labels]``, which decide the kind.
            first: probabilities of each word's first token, of the same shape.
            last: those of its last token.
        """
        same = self.same_kind.astype(np.float32)
        begins = (first * self.opens) @ same / np.maximum(first @ same, 1e-30)
        finishes = (last * self.ends) @ same / np.maximum(last @ same, 1e-30)
        starting = np.where(self.opens, begins, 1 - begins)
        ending = np.where(self.ends, finishes, 1 - finishes)
        words: Scores = scores @ same * starting * ending
        return words


def scheme_of(labels: Sequence[str]) -> Scheme:
    """Recognise the scheme of ``labels``.

    Letters count as positions only if the labels as a whole follow a scheme, so ``E-MAIL`` next to ``B-PER`` and
    ``I-PER`` is a kind of its own. Labels without a position, such as ``PER``, join neighbours with the same label.
    """
    parsed, names = _parsed(labels)
    kinds = tuple(kind for kind, _ in parsed)
    positions = [position for _, position in parsed]
    by_kind: dict[str, set[str]] = {}
    for kind, position in parsed:
        by_kind.setdefault(kind, set()).add(position)
    ended, single = _END in positions, _SINGLE in positions
    starts = [_may_start(kind, position, by_kind[kind], ended or single) for kind, position in parsed]
    ends = [_may_end(kind, position, by_kind[kind], single) for kind, position in parsed]
    continuable = [position in (_BEGIN, _INSIDE) for position in positions]
    continues = [position in (_INSIDE, _END) for position in positions]
    numbers = np.unique(kinds, return_inverse=True)[1]
    joins = (numbers[:, None] == numbers) & np.array(continuable, bool)[:, None] & np.array(continues, bool)
    opens = starts if ended or single else [position == _BEGIN for position in positions]
    return Scheme(kinds, names, joins, *(np.array(each, bool) for each in (starts, ends, opens)))


# A kind may lack labels that never occurred in the training data; its other labels must then do without them.
def _may_start(kind: str, position: str, siblings: set[str], strict: bool) -> bool:
    """Return whether a span may begin with a label, whose kind has the positions ``siblings``."""
    return not strict or kind == OUTSIDE or position in (_BEGIN, _SINGLE) or _BEGIN not in siblings


def _may_end(kind: str, position: str, siblings: set[str], single: bool) -> bool:
    """Return whether a span may end with a label; ``single``: whether the scheme marks spans of one token."""
    if kind == OUTSIDE or position in (_END, _SINGLE) or _BEGIN not in siblings:
        return True
    return not single or not siblings & {_INSIDE, _END} if position == _BEGIN else _END not in siblings


def _parsed(labels: Sequence[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Return per label its kind and position, and the name of a joined span."""
    letters = _letters(labels, _USUAL)
    # As in transformers, unless there is more than B and I: the name is what follows the first hyphen.
    if letters <= {"B", "I"}:
        for style in _OTHERS:
            if _letters(labels, style) and all(_IGNORED.fullmatch(label) or style.fullmatch(label) for label in labels):
                return _split(labels, style, dict(_POSITIONS))
        split, _ = _split(labels, _USUAL, {"B": _BEGIN, "I": _INSIDE})
        return split, tuple(label.split("-", 1)[-1] for label in labels)
    return _split(labels, _USUAL, {letter: _POSITIONS[letter] for letter in letters})


def _letters(labels: Sequence[str], style: re.Pattern[str]) -> set[str]:
    """Return the letters of the kinds that have at least two of them, in this style."""
    by_kind: dict[str, set[str]] = {}
    for label in labels:
        if match := style.fullmatch(label):
            by_kind.setdefault(match["kind"], set()).add(match["letter"])
    return {letter for letters in by_kind.values() if len(letters) > 1 and letters & set("BIM") for letter in letters}


def _split(
    labels: Sequence[str], style: re.Pattern[str], positions: Mapping[str, str]
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    parsed = []
    for label in labels:
        match = style.fullmatch(label)
        if match and match["letter"] in positions:
            parsed.append((match["kind"], positions[match["letter"]]))
        else:
            parsed.append((label, _INSIDE))
    return parsed, tuple(kind for kind, _ in parsed)
