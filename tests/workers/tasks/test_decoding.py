"""The most probable sequence of labels: valid in its scheme, and by what a head has learnt."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thoroughness import examples
from tests.workers.tasks.test_schemes import BIOES, labels, scored
from workers.tasks.decoding import Decoder
from workers.tasks.schemes import Scheme, scheme_of

BIO = labels("BI", "PER", "LOC")


def test_an_invalid_sequence_becomes_the_most_probable_valid_one() -> None:
    scheme = scheme_of(BIOES)
    decode = Decoder(scheme).decode
    b, i, e, s = range(1, 5)
    gaps = np.zeros(2, bool)
    # Alice Mary Smith: a middle name that looks like an entity of its own.
    assert decode(scored(scheme, [{b: 0.9}, {s: 0.5, i: 0.4}, {e: 0.9}]), gaps, (True, True)) == [b, i, e]
    assert decode(scored(scheme, [{0: 0.9}, {i: 0.5, s: 0.3}, {0: 0.9}]), gaps, (True, True)) == [0, s, 0]
    # At the cut edges of a window a span comes in from outside and goes on.
    inner = scored(scheme, [{i: 0.9}, {e: 0.9}, {b: 0.9}])
    assert decode(inner, gaps, (False, False)) == [i, e, b]
    assert decode(inner, gaps, (True, True)) != [i, e, b]
    # No span reaches over a special token.
    assert decode(scored(scheme, [{b: 0.9}, {i: 0.9}, {e: 0.9}]), np.array([False, True]), (True, True))[1] != i


def valid(scheme: Scheme, path: tuple[int, ...], gaps: np.ndarray, edges: tuple[bool, bool]) -> bool:
    return (
        (not edges[0] or bool(scheme.starts[path[0]]))
        and (not edges[1] or bool(scheme.ends[path[-1]]))
        and all(
            (scheme.ends[label] and scheme.starts[following]) or (scheme.joins[label, following] and not gap)
            for (label, following), gap in zip(pairwise(path), gaps, strict=True)
        )
    )


def worth(
    path: tuple[int, ...], logs: np.ndarray, learnt: np.ndarray, gaps: np.ndarray, edges: tuple[bool, bool]
) -> float:
    """Return what a path is worth if "O" (label 0) is outside the text, and between units that are apart."""
    total = float(logs[range(len(path)), path].sum())
    total += edges[0] * learnt[0, path[0]] + edges[1] * learnt[path[-1], 0]
    for (label, following), gap in zip(pairwise(path), gaps, strict=True):
        total += learnt[label, 0] + learnt[0, following] if gap else learnt[label, following]
    return total


@settings(deadline=None, max_examples=examples(100))
@given(
    names=st.sampled_from(
        (
            BIOES,
            labels("BIE", "A", "B"),
            labels("BILU", "A"),
            (*labels("BMES", "A"), "S-B", "C"),
            labels("BI", "A", "B"),
        )
    ),
    length=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    edges=st.tuples(st.booleans(), st.booleans()),
    strength=st.sampled_from((0.0, 0.3, 2.0)),
)
def test_it_finds_what_trying_all_sequences_finds(
    names: tuple[str, ...], length: int, seed: int, edges: tuple[bool, bool], strength: float
) -> None:
    rng, scheme = np.random.default_rng(seed), scheme_of(names)
    scores = rng.dirichlet(np.full(len(names), 0.3), length).astype(np.float32)
    learnt = rng.normal(0, strength, (len(names), len(names))).astype(np.float32)
    gaps = rng.random(length - 1) < 0.2
    logs = np.log(np.maximum(scores, 1e-30, dtype=np.float64))
    paths = [path for path in product(range(len(names)), repeat=length) if valid(scheme, path, gaps, edges)]
    decoded = tuple(Decoder(scheme, learnt if strength else None).decode(scores, gaps, edges))
    assert valid(scheme, decoded, gaps, edges)
    assert worth(decoded, logs, learnt, gaps, edges) == pytest.approx(
        max(worth(path, logs, learnt, gaps, edges) for path in paths)
    )


@settings(deadline=None, max_examples=examples(200))
@given(
    names=st.sampled_from((BIO, labels("BI", "A"), ("O", "A", "B-C", "I-C"))),
    length=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    strength=st.sampled_from((0.1, 0.7, 2.0)),
)
def test_what_is_no_candidate_is_outside(names: tuple[str, ...], length: int, seed: int, strength: float) -> None:
    rng, scheme = np.random.default_rng(seed), scheme_of(names)
    concentrations = np.where(np.arange(len(names)) == 0, 4.0, 0.2)
    scores = rng.dirichlet(concentrations, length).astype(np.float32)
    learnt = rng.normal(0, strength, (len(names), len(names))).astype(np.float32)
    decoder = Decoder(scheme, learnt)
    together = np.zeros(length - 1, bool)
    candidates = decoder.candidates(scores)
    decoded = np.zeros(length, int)
    if len(candidates):
        decoded[candidates] = decoder.decode(scores[candidates], np.diff(candidates) > 1, (True, True))
    logs = np.log(np.maximum(scores, 1e-30, dtype=np.float64))
    best = tuple(decoder.decode(scores, together, (True, True)))
    assert worth(tuple(decoded.tolist()), logs, learnt, together, (True, True)) == pytest.approx(
        worth(best, logs, learnt, together, (True, True)), abs=1e-5
    )


def test_sure_words_are_no_candidates() -> None:
    learnt = np.zeros((5, 5), np.float32)
    learnt[1, 2] = 1.0
    scores = np.array([[0.96, 0.01, 0.01, 0.01, 0.01], [0.4, 0.5, 0.05, 0.02, 0.03], [0.6, 0.1, 0.3, 0, 0]], np.float32)
    assert Decoder(scheme_of(BIO), learnt).candidates(scores).tolist() == [1, 2]
    assert Decoder(scheme_of(BIOES)).candidates(np.eye(9, dtype=np.float32)[[0, 0]]).tolist() == []
    assert Decoder(scheme_of(BIOES)).candidates(np.eye(9, dtype=np.float32)[[0, 3]]).tolist() == [0, 1]


def test_what_was_learnt_keeps_the_parts_of_a_name_together() -> None:
    scheme = scheme_of(BIO)
    learnt = np.zeros((5, 5), np.float32)
    learnt[1, 2] = learnt[2, 2] = learnt[3, 4] = learnt[4, 4] = 1.5
    learnt[0, [2, 4]] = learnt[[1, 2], 4] = learnt[[3, 4], 2] = -1.5
    outside, person, inside_person, _, inside_place = range(5)
    # Ada Lovelace spoke: the surname alone looks like a place.
    scores = scored(scheme, [{person: 0.9}, {inside_place: 0.5, inside_person: 0.4}, {outside: 0.999}])
    gaps = np.zeros(2, bool)
    assert Decoder(scheme).decode(scores, gaps, (True, True)) == [person, inside_place, outside]
    assert Decoder(scheme, learnt).decode(scores, gaps, (True, True)) == [person, inside_person, outside]
    # After a gap a name does not go on.
    apart = Decoder(scheme, learnt).decode(scores, np.array([True, False]), (True, True))
    assert apart != [person, inside_person, outside]


def test_there_is_an_answer_where_nothing_is_valid() -> None:
    scheme = scheme_of(("B-A", "I-A", "E-A", "B-B", "E-B"))
    assert len(Decoder(scheme).decode(np.full((1, 5), 0.2, np.float32), np.zeros(0, bool), (True, True))) == 1
