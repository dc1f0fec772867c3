"""Label schemes, told from the labels."""

from __future__ import annotations

import numpy as np
import pytest

from workers.tasks.schemes import Scheme, scheme_of


def labels(letters: str, *kinds: str, form: str = "{}-{}") -> tuple[str, ...]:
    return ("O", *(form.format(letter, kind) for kind in kinds for letter in letters))


BIOES = labels("BIES", "PER", "LOC")


@pytest.mark.parametrize("letters", ["BIES", "BILU", "BMES", "BMEW", "BIE", "BME", "BIS"])
@pytest.mark.parametrize("form", ["{}-{}", "{}_{}", "{1}-{0}", "{1}_{0}"])
def test_a_scheme_with_an_end_is_constrained(letters: str, form: str) -> None:
    scheme = scheme_of(labels(letters, "private_person", "GPE-LOC", form=form))
    assert scheme.kinds == scheme.names == ("O", *["private_person"] * len(letters), *["GPE-LOC"] * len(letters))
    assert scheme.constrained


@pytest.mark.parametrize("form", ["{}_{}", "{1}-{0}", "{1}_{0}"])
def test_begin_and_inside_are_known_in_every_form(form: str) -> None:
    for more in ((), ("[PAD]",), ("X", "<s>")):
        scheme = scheme_of((*labels("BI", "PER", "LOC", form=form), *more))
        assert scheme.kinds == ("O", "PER", "PER", "LOC", "LOC", *more)
        assert not scheme.constrained
        assert (scheme.joins[1, 2], scheme.joins[2, 1], scheme.joins[2, 2], scheme.joins[2, 4]) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("O", "B-PER", "I-PER", "E-MAIL", "U-BAHN"), ("O", "PER", "PER", "E-MAIL", "U-BAHN")),
        (("O", "E-MAIL", "S-BAHN", "M-NUMBER"), ("O", "E-MAIL", "S-BAHN", "M-NUMBER")),
        (("O", "I-PER", "I-LOC"), ("O", "PER", "LOC")),
        (("O", "B-PER", "I-PER", "B-LOC"), ("O", "PER", "PER", "LOC")),
        (("LOC", "O", "PER", "X-PER"), ("LOC", "O", "PER", "X-PER")),
        (("B_PER", "I_PER", "PRODUCT"), ("B_PER", "I_PER", "PRODUCT")),
        (("O", "VITAMIN-B", "VITAMIN-E", "IRON"), ("O", "VITAMIN-B", "VITAMIN-E", "IRON")),
        (("LABEL_0", "LABEL_1"), ("LABEL_0", "LABEL_1")),
        (("I-", "B-", "O"), ("I-", "B-", "O")),
        (("O",), ("O",)),
    ],
)
def test_letters_are_positions_only_where_the_labels_follow_a_scheme(
    names: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    scheme = scheme_of(names)
    assert scheme.kinds == kinds
    assert not scheme.constrained


def test_a_kind_that_lacks_labels_does_without_them() -> None:
    names = (*BIOES, "S-DATE", "B-ORG", "I-ORG", "I-MISC", "TITLE")
    scheme = scheme_of(names)
    can = dict(zip(names, zip(scheme.starts.tolist(), scheme.ends.tolist(), strict=True), strict=True))
    assert can["S-DATE"] == can["I-MISC"] == can["TITLE"] == can["O"] == (True, True)
    assert can["B-PER"] == can["B-ORG"] == (True, False)
    assert can["I-ORG"] == can["E-PER"] == (False, True)
    assert can["I-PER"] == (False, False)


def scored(scheme: Scheme, rows: list[dict[int, float]]) -> np.ndarray:
    table = np.full((len(rows), len(scheme.kinds)), 0.001, np.float32)
    for row, scores in zip(table, rows, strict=True):
        for column, score in scores.items():
            row[column] = score
    return table


def test_the_outer_tokens_of_a_word_tell_its_position() -> None:
    scheme = scheme_of(BIOES)
    b, i, e, s = range(1, 5)
    first = scored(scheme, [{b: 0.9}, {i: 0.9}, {b: 0.9}, {s: 0.9}, {0: 0.9}])
    last = scored(scheme, [{e: 0.9}, {e: 0.9}, {i: 0.9}, {s: 0.9}, {0: 0.9}])
    words = scheme.of_words(first, first, last)
    assert words.argmax(1).tolist() == [s, e, b, s, 0]
    assert words.sum(1) == pytest.approx(first.sum(1), abs=1e-5)


def test_the_first_token_of_a_word_tells_whether_a_span_begins_if_nothing_marks_ends() -> None:
    scheme = scheme_of(labels("BI", "PER", "LOC"))
    b, i = 1, 2
    surest = scored(scheme, [{i: 0.9, b: 0.05}, {b: 0.6, i: 0.3}])
    first = scored(scheme, [{b: 0.5, 0: 0.4}, {i: 0.7, 0: 0.2}])
    words = scheme.of_words(surest, first, surest)
    assert words.argmax(1).tolist() == [b, i]
    assert words.sum(1) == pytest.approx(surest.sum(1), abs=1e-5)
