"""Label schemes: told from the labels, and decoded to the most probable valid sequence."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thoroughness import examples
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


def test_an_invalid_sequence_becomes_the_most_probable_valid_one() -> None:
    scheme = scheme_of(BIOES)
    b, i, e, s = range(1, 5)
    gaps = np.zeros(2, bool)
    # Alice Mary Smith: a middle name that looks like an entity of its own.
    assert scheme.decode(scored(scheme, [{b: 0.9}, {s: 0.5, i: 0.4}, {e: 0.9}]), gaps, (True, True)) == [b, i, e]
    assert scheme.decode(scored(scheme, [{0: 0.9}, {i: 0.5, s: 0.3}, {0: 0.9}]), gaps, (True, True)) == [0, s, 0]
    # At the cut edges of a window a span comes in from outside and goes on.
    inner = scored(scheme, [{i: 0.9}, {e: 0.9}, {b: 0.9}])
    assert scheme.decode(inner, gaps, (False, False)) == [i, e, b]
    assert scheme.decode(inner, gaps, (True, True)) != [i, e, b]
    # No span reaches over a special token.
    assert scheme.decode(scored(scheme, [{b: 0.9}, {i: 0.9}, {e: 0.9}]), np.array([False, True]), (True, True))[1] != i


def test_the_outer_tokens_of_a_word_tell_its_position() -> None:
    scheme = scheme_of(BIOES)
    b, i, e, s = range(1, 5)
    first = scored(scheme, [{b: 0.9}, {i: 0.9}, {b: 0.9}, {s: 0.9}, {0: 0.9}])
    last = scored(scheme, [{e: 0.9}, {e: 0.9}, {i: 0.9}, {s: 0.9}, {0: 0.9}])
    words = scheme.of_words(first, first, last)
    assert words.argmax(1).tolist() == [s, e, b, s, 0]
    assert words.sum(1) == pytest.approx(first.sum(1), abs=1e-5)


def valid(scheme: Scheme, path: tuple[int, ...], gaps: np.ndarray, edges: tuple[bool, bool]) -> bool:
    return (
        (not edges[0] or bool(scheme.starts[path[0]]))
        and (not edges[1] or bool(scheme.ends[path[-1]]))
        and all(
            (scheme.ends[label] and scheme.starts[following]) or (scheme.joins[label, following] and not gap)
            for (label, following), gap in zip(pairwise(path), gaps, strict=True)
        )
    )


@settings(deadline=None, max_examples=examples(60))
@given(
    names=st.sampled_from((BIOES, labels("BIE", "A", "B"), labels("BILU", "A"), (*labels("BMES", "A"), "S-B", "C"))),
    length=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    edges=st.tuples(st.booleans(), st.booleans()),
)
def test_it_finds_what_trying_all_sequences_finds(
    names: tuple[str, ...], length: int, seed: int, edges: tuple[bool, bool]
) -> None:
    rng, scheme = np.random.default_rng(seed), scheme_of(names)
    scores = rng.dirichlet(np.full(len(names), 0.3), length).astype(np.float32)
    gaps = rng.random(length - 1) < 0.2
    logs = np.log(np.maximum(scores, 1e-30, dtype=np.float64))
    paths = [path for path in product(range(len(names)), repeat=length) if valid(scheme, path, gaps, edges)]
    totals = [logs[range(length), path].sum() for path in paths]
    decoded = scheme.decode(scores, gaps, edges)
    assert valid(scheme, tuple(decoded), gaps, edges)
    assert logs[range(length), decoded].sum() == pytest.approx(max(totals))


def test_there_is_an_answer_where_nothing_is_valid() -> None:
    scheme = scheme_of(("B-A", "I-A", "E-A", "B-B", "E-B"))
    assert len(scheme.decode(np.full((1, 5), 0.2, np.float32), np.zeros(0, bool), (True, True))) == 1
