"""Answers against a simple decoder written from the papers, and their properties for any logits."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer, processors

from schemas.document import Part
from tests.thoroughness import examples
from tests.workers import tiny
from tests.workers.tasks import squad_reference
from workers.tasks.answers import POOL, Answer, Answers, decode

KINDS = ("wordpiece", "bytes", "unigram")
PIECES = (
    "the", "quick", "Angela", "Merkel", "coffee", "in", "Paris", "café", "cafe\u0301", "a\u0308\u0300b", "東京",
    "大阪へ行く", "Москва", "don't", "ﬁne", "...", "👍", "👩‍👩‍👧‍👦", "🇩🇪", "x" * 12, "\u00a0", "\t\n", "a\u200bb",
    "[SEP]", "</s>", "İ", "10/10",
)  # fmt: skip
GAPS = (" ", " ", " ", "", "  ", "\n")
QUESTION = "who?"

thorough = settings(deadline=None, max_examples=examples(60))


@cache
def tokenizer(kind: str, max_length: int, stride: int) -> Tokenizer:
    made = Tokenizer.from_str(tiny._tokenizer(kind, True).backend_tokenizer.to_str())
    made.no_padding()
    made.enable_truncation(max_length, stride=stride, strategy="only_second")
    return made


def windows_of(kind: str, text: str, max_length: int, stride: int, question: str = QUESTION) -> list[Encoding]:
    encoding = tokenizer(kind, max_length, stride).encode(question, text)
    return [encoding, *encoding.overflowing]


def run(text: str, windows: list[Encoding], logits: list[NDArray[np.float32]], **settings: Any) -> Answers:
    usual = {"n_best": 5, "max_answer_tokens": 8, "null_threshold": 0.0, "can_be_unanswerable": True}
    return decode(text, windows, logits, **{**usual, **settings})


def noise(rng: np.random.Generator, window: Encoding) -> NDArray[np.float32]:
    """Random logits; in two of three cases coarse ones, so that many are equal."""
    size = (len(window), 2)
    coarse = rng.integers(3)
    made = rng.normal(scale=3, size=size) if coarse == 0 else rng.integers(-2, 3 if coarse == 1 else -1, size)
    return made.astype(np.float32)


def compare(answers: Answers, expected: tuple[Any, float, list[Any]]) -> None:
    best, null, listed = expected
    assert [(answer.start, answer.end) for answer in answers.alternatives] == [span[:2] for span in listed]
    np.testing.assert_allclose(
        [answer.score for answer in answers.alternatives], [span[2] for span in listed], atol=1e-6
    )
    assert answers.null_score == pytest.approx(null, abs=1e-6)
    assert (answers.best and (answers.best.start, answers.best.end)) == (best and best[:2])
    assert answers.best is None or answers.best == answers.alternatives[0]


def test_as_the_plain_decoder_says() -> None:
    rng = np.random.default_rng(20180611)
    counts, said, empty = set(), set(), 0
    for case in range(500):
        kind = KINDS[case % 3]
        max_length = int(rng.integers(16, 40))
        stride = int(rng.integers(0, 8))
        wanted = int(rng.integers(1, 7))
        pieces = rng.choice(PIECES, rng.integers(0, 40))
        text = "".join(f"{piece}{rng.choice(GAPS)}" for piece in pieces)
        windows = windows_of(kind, text, max_length, stride)[:wanted]
        logits = [noise(rng, window) for window in windows]
        for table, next_table in pairwise(logits):  # a null of some weight
            next_table[0] = table[0] + rng.integers(-1, 2)
        n_best, longest = int(rng.integers(1, POOL + 1)), int(rng.integers(1, 12))
        tau, may_be_null = float(rng.integers(-6, 7)), bool(rng.integers(4))
        answers = run(
            text, windows, logits, n_best=n_best, max_answer_tokens=longest,
            null_threshold=tau, can_be_unanswerable=may_be_null,
        )  # fmt: skip
        compare(answers, squad_reference.answers(text, windows, logits, n_best, longest, tau, may_be_null))
        counts.add(len(windows))
        said.add(answers.best is not None)
        empty += not answers.alternatives
    # The generated cases are as intended.
    assert counts == set(range(1, 7))
    assert said == {True, False}
    assert empty


def test_windows_compare_with_their_own_null_as_the_plain_decoder_says() -> None:
    rng = np.random.default_rng(20261201)
    different, said = 0, set()
    for case in range(300):
        text = " ".join(rng.choice(PIECES, rng.integers(1, 40)))
        windows = windows_of(KINDS[case % 3], text, 24, 4)
        logits = [noise(rng, window) for window in windows]
        margin, tau = float(rng.choice([0.0, 0.5, 1.5])), float(rng.integers(-2, 3))
        answers = run(text, windows, logits, null_threshold=tau, window_margin=margin)
        compare(answers, squad_reference.answers(text, windows, logits, 5, 8, tau, True, margin=margin))
        plain = run(text, windows, logits, null_threshold=tau)
        if len(windows) == 1:
            compare(answers, squad_reference.answers(text, windows, logits, 5, 8, tau, True))
        forced = [run(text, windows, logits, can_be_unanswerable=False, window_margin=each) for each in (None, margin)]
        assert forced[0] == forced[1]
        different += answers.best != plain.best
        said.add(answers.best is not None)
    assert different and said == {True, False}


def test_no_answer_reaches_across_the_texts_of_an_event() -> None:
    rng = np.random.default_rng(20261130)
    shorter = 0
    for case in range(200):
        texts = [" ".join(rng.choice(PIECES, rng.integers(1, 12))) for _ in range(rng.integers(1, 5))]
        starts = [sum(len(text) + 2 for text in texts[:n]) for n in range(len(texts))]
        text = "\n\n".join(texts)
        parts = [Part("$", start, start + len(part_text), ()) for start, part_text in zip(starts, texts, strict=True)]
        windows = windows_of(KINDS[case % 3], text, 24, 4)
        logits = [noise(rng, window) for window in windows]
        answers = run(text, windows, logits, n_best=POOL, parts=parts)
        places = [(part.start, part.end) for part in parts]
        compare(answers, squad_reference.answers(text, windows, logits, POOL, 8, 0.0, True, places))
        for answer in answers.alternatives:
            assert any(start <= answer.start and answer.end <= end for start, end in places)
        shorter += answers != run(text, windows, logits, n_best=POOL)
    assert shorter


pieces = st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
contexts = st.lists(st.tuples(pieces, st.sampled_from(GAPS)), max_size=25).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)


@thorough
@given(contexts, st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(1, 10), st.booleans())
def test_spans_lie_in_the_text_and_apart(text: str, kind: str, seed: int, longest: int, may_be_null: bool) -> None:
    windows = windows_of(kind, text, 20, 3)
    rng = np.random.default_rng(seed)
    answers = run(
        text, windows, [noise(rng, window) for window in windows],
        n_best=POOL, max_answer_tokens=longest, can_be_unanswerable=may_be_null,
    )  # fmt: skip
    spans = answers.alternatives
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        piece = text[span.start : span.end]
        assert piece == piece.strip()
    in_order = sorted(spans, key=lambda span: span.start)
    assert all(span_before.end <= span_after.start for span_before, span_after in pairwise(in_order))
    assert list(spans) == sorted(spans, key=lambda span: -span.score)
    assert len(spans) <= POOL
    if len(spans) < POOL:
        assert answers.null_score + sum(span.score for span in spans) == pytest.approx(1)


@thorough
@given(contexts, st.sampled_from(KINDS), st.integers(0, 2**32), st.booleans())
def test_there_is_no_answer_where_the_null_is_above_all(text: str, kind: str, seed: int, may_be_null: bool) -> None:
    windows = windows_of(kind, text, 20, 3)
    rng = np.random.default_rng(seed)
    logits = [rng.uniform(-1, 1, (len(window), 2)).astype(np.float32) for window in windows]
    for table in logits:
        table[0] = 1.5
    answers = run(text, windows, logits, can_be_unanswerable=may_be_null)
    if may_be_null:
        assert answers.best is None
        assert all(span.score < answers.null_score for span in answers.alternatives)
    else:
        assert answers.best == (answers.alternatives[0] if answers.alternatives else None)


@thorough
@given(contexts, st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(1, 6))
def test_windows_change_nothing(text: str, kind: str, seed: int, longest: int) -> None:
    (whole,) = windows_of(kind, text, 10_000, 0)
    cut = windows_of(kind, text, 24, longest - 1)
    rng = np.random.default_rng(seed)
    table = noise(rng, whole)
    before, context = whole.sequence_ids.index(1) if 1 in whole.sequence_ids else 0, whole.sequence_ids.count(1)
    tables, at = [], 0
    for window in cut:
        count = window.sequence_ids.count(1)
        first = window.sequence_ids.index(1) if count else 0
        assert at + count <= context
        part = np.concatenate([
            table[:first], table[before + at : before + at + count],
            rng.normal(scale=9, size=(len(window) - first - count, 2)).astype(np.float32),
        ])  # fmt: skip
        part[0] = table[0]
        tables.append(part)
        at += count - (longest - 1)
    assert run(text, [whole], [table], max_answer_tokens=longest) == run(text, cut, tables, max_answer_tokens=longest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " \n\t", "\u00a0 "])
@pytest.mark.parametrize("may_be_null", [True, False])
def test_a_context_without_text_does_not_answer(kind: str, text: str, may_be_null: bool) -> None:
    windows = windows_of(kind, text, 20, 3)
    logits = [np.ones((len(window), 2), np.float32) for window in windows]
    assert run(text, windows, logits, can_be_unanswerable=may_be_null) == Answers(None, 1.0, ())


def marked(kind: str, text: str, **at: float) -> tuple[list[Encoding], list[NDArray[np.float32]]]:
    """One window; all logits are -9 except those named by a word: ``{word}_start``, ``{word}_end``."""
    windows = windows_of(kind, text, 100, 0)
    table = np.full((len(windows[0]), 2), -9, np.float32)
    for name, logit in at.items():
        word, column = name.split("_")
        token = windows[0].char_to_token(text.index(word), 1)
        assert token is not None
        table[token, ("start", "end").index(column)] = logit
    return windows, [table]


def test_tau_is_a_difference_of_logits_and_must_be_exceeded() -> None:
    text = "we met in Paris"
    windows, (table,) = marked("bytes", text)
    table[windows[0].sequence_ids.index(1)] = 2.0
    table[0] = 1.25  # the null: 2.5; the first token: 4.0
    assert run(text, windows, [table], null_threshold=1.5).best is None
    best = run(text, windows, [table], null_threshold=1.4375).best
    assert best is not None
    assert best.score == pytest.approx(1 / (1 + np.exp(-1.5)), abs=1e-4)
    assert run(text, windows, [table], null_threshold=1.5, can_be_unanswerable=False).best is not None


def test_scores_do_not_depend_on_how_many_are_wanted() -> None:
    text = "one two three four five six seven eight nine ten"
    windows = windows_of("unigram", text, 100, 0)
    rng = np.random.default_rng(3)
    logits = [rng.normal(size=(len(windows[0]), 2)).astype(np.float32)]
    best_alone, many = (run(text, windows, logits, n_best=n_best) for n_best in (1, POOL))
    assert len(best_alone.alternatives) == 1
    assert len(many.alternatives) > 2
    assert (best_alone.best, best_alone.null_score) == (many.best, many.null_score)
    assert best_alone.alternatives == many.alternatives[:1]


def test_an_end_before_its_start_is_no_answer() -> None:
    text = "Paris in may"
    windows, logits = marked("wordpiece", text, may_start=9.0, Paris_end=9.0)
    first, second = run(text, windows, logits, max_answer_tokens=1000).alternatives[:2]
    assert (first.start, second.start) == (0, text.index("may"))
    assert first.end <= len("Paris")
    assert first.score == second.score


def test_the_question_is_no_answer() -> None:
    text = "Paris"
    windows = windows_of("wordpiece", text, 100, 0, "Paris in may")
    table = np.zeros((len(windows[0]), 2), np.float32)
    table[[side == 0 for side in windows[0].sequence_ids]] = 9.0
    table[0] = -1
    answers = run(text, windows, [table])
    assert answers.best == Answer(0, 5, answers.alternatives[0].score)
    assert answers.best.score == pytest.approx(np.exp(0) / (np.exp(0) + np.exp(-2)), abs=1e-6)


TRAILING = processors.TemplateProcessing(pair="$A </s> $B:1 </s>:1", special_tokens=[("</s>", 2)])


@pytest.mark.parametrize(("processor", "specials"), [(TRAILING, 2), (processors.ByteLevel(), 0)], ids=["last", "none"])
def test_no_answer_stands_at_the_first_special_token_or_the_first_of_all(processor: Any, specials: int) -> None:
    made = Tokenizer.from_str(tokenizer("bytes", 100, 0).to_str())
    made.post_processor = processor
    window = made.encode(QUESTION, "in Paris")
    assert sum(window.special_tokens_mask) == specials
    token = window.special_tokens_mask.index(1) if specials else 0
    assert bool(token) == bool(specials)
    table = np.zeros((len(window), 2), np.float32)
    table[token] = 1
    assert run("in Paris", [window], [table]).best is None
    table[token] = -1
    assert run("in Paris", [window], [table]).best is not None


def test_several_hundred_windows() -> None:
    text = "word " * 100_000
    windows = windows_of("wordpiece", text, 512, 100)
    assert len(windows) > 200
    rng = np.random.default_rng(1)
    logits = [rng.normal(size=(len(window), 2)).astype(np.float32) for window in windows]
    assert len(run(text, windows, logits, n_best=POOL, max_answer_tokens=30).alternatives) == POOL
