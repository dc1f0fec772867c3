"""The templates of moderation: none makes a test sentence, and labels that nobody knows are not learnt."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.starter.test_flagged import HARMFUL, HARMLESS
from training import harm_dev, moderation
from training.harm import making
from training.harm.slots import SLOTS
from training.own_functional import cases
from training.own_identity import sentences
from training.own_posts import POSTS
from training.own_sentences import SINGLES

TEMPLATES = [template for kind in making.KINDS.values() for template in kind.templates]


def plain(text: str) -> str:
    """Return the letters and digits of ``text`` in lower case."""
    return re.sub(r"\W+", "", text).lower()


def pattern(template: str) -> re.Pattern[str]:
    """Return a pattern for the letters and digits of the sentences of a template."""

    def gap(slot: re.Match[str]) -> str:
        return r"\d+" if slot[1] == "number" else "(?:" + "|".join(map(plain, SLOTS[slot[1]])) + ")"

    letters = making.choices(re.sub(r"[^\w\[\]|{}]+", "", template).lower())
    return re.compile(re.sub(r"\{(\w+)\}", gap, letters))


def test_no_template_makes_a_test_sentence() -> None:
    tests = {plain(single.text) for single in (*SINGLES, *POSTS)}
    tests |= {plain(case.text) for case in cases()} | {plain(sentence.text) for sentence in sentences()}
    tests |= {plain(text) for text in (*HARMLESS, *HARMFUL)} | {plain(post.text) for post in harm_dev.posts()}
    for template in TEMPLATES:
        made = pattern(template)
        assert not [text for text in tests if made.fullmatch(text)], template


def test_patterns_recognise_what_templates_make() -> None:
    chance = random.Random(0)
    for template in TEMPLATES:
        text = making.filled(template, chance)
        # Articles and plurals may have been corrected.
        if not re.search(r"\ba\b|\ban\b|bitches|fatties", template + text, re.IGNORECASE):
            assert pattern(template).fullmatch(plain(text)), (template, text)


def test_no_test_sentence_is_part_of_a_training_text() -> None:
    made = [plain(text) for split in ("train", "dev") for text in making.texts(split).texts]
    tried = (*HARMLESS, *HARMFUL)
    assert not {plain(text) for text in tried} & set(made)
    joined = "\n".join(made)
    # Two words can also meet by chance, as in "Well, shit goes wrong".
    for text in (*(case.text for case in cases()), *(text for text in tried if len(text.split()) > 2)):
        assert plain(text) not in joined, text


def test_no_test_sentence_is_among_the_posts_to_choose_by() -> None:
    posts = {plain(post.text) for post in harm_dev.posts()}
    tests = {plain(single.text) for single in (*SINGLES, *POSTS)} | {plain(case.text) for case in cases()}
    assert not posts & (tests | {plain(text) for text in (*HARMLESS, *HARMFUL)})


def test_a_final_mark_says_nothing_about_the_label() -> None:
    chance = random.Random(0)
    marks = [making.marked("We won.", chance)[6:] for _ in range(1000)]
    assert {mark: marks.count(mark) > 100 for mark in marks} == {"": True, ".": True, "!": True}
    assert making.marked("Did we win?", chance) == "Did we win?"


def test_templates_are_split_and_have_hundreds_of_wordings() -> None:
    train, dev = (making.texts_by_kind(split) for split in ("train", "dev"))
    assert train.keys() == dev.keys() == making.KINDS.keys() and all(train.values()) and all(dev.values())
    assert len(set(TEMPLATES)) == len(TEMPLATES) >= 500
    assert not {text for made in train.values() for text in made} & {text for made in dev.values() for text in made}
    flagged = sum(len(train[name]) for name in making.FLAGGED)
    assert 0.6 < flagged / sum(len(train[name]) for name in making.CALM) < 1.3
    texts = making.texts("dev")
    assert texts.texts == making.texts("dev").texts and len(making.kind_of_each("dev")) == len(texts.texts)
    assert not any(re.search(r"[{}\[\]|]", text) for text in texts.texts)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("threats", {"offensive_language", "threat"}),
        ("threats to groups", {"offensive_language", "hate_speech", "threat"}),
        ("wishes of harm", {"offensive_language", "threat"}),
        ("urging self-harm", {"offensive_language", "self_harm"}),
        ("own self-harm", {"self_harm"}),
        ("insults", {"offensive_language"}),
        ("contempt", {"offensive_language", "hate_speech"}),
        ("denied contempt", set()),
        ("support", set()),
    ],
)
def test_kinds_have_the_labels_that_the_documentation_gives_them(kind: str, labels: set[str]) -> None:
    target = making.KINDS[kind].target
    assert {label for label, value in zip(moderation.LABELS, target, strict=True) if value > 0.5} == labels


@given(st.lists(st.sampled_from([0.0, 0.3, 1.0, making.UNKNOWN]), min_size=4, max_size=4))
def test_unknown_labels_are_not_learnt(target: list[float]) -> None:
    logits = torch.tensor([[0.5, -1.0, 2.0, 0.1]], requires_grad=True)
    loss = moderation.loss(logits, torch.tensor([target]))
    known = [place for place, value in enumerate(target) if value == value]
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[0, known], torch.tensor(target)[known], reduction="sum"
    )
    assert float(loss.detach()) == pytest.approx(float(each.detach()), abs=1e-6)
    loss.sum().backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
    assert {place for place in range(4) if logits.grad[0, place] != 0} <= set(known)


def test_a_threshold_spares_ordinary_texts() -> None:
    scores, wanted = np.array([0.9, 0.8, 0.4, 0.2, 0.1]), np.array([True, True, True, False, False])
    quiet = np.full(1000, 0.05)
    assert moderation.sparing_threshold(scores, wanted, quiet) == 0.4
    # Two of a thousand would be flagged below 0.6; one is allowed.
    assert moderation.sparing_threshold(scores, wanted, np.r_[quiet[2:], np.full(2, 0.55)]) == 0.8
    assert moderation.sparing_threshold(scores, wanted, np.r_[quiet[1:], 0.55]) == 0.4


def test_thresholds_of_tweets_may_give_up_a_little_f1_for_templates() -> None:
    gold = np.array([moderation.NEITHER] * 10 + [moderation.OFFENSIVE] * 10 + [moderation.HATE] * 10)
    scores = np.array([[0.1, 0.1]] * 10 + [[0.8, 0.1]] * 10 + [[0.9, 0.8]] * 10)
    templates, targets = np.array([[0.55, 0.0], [0.45, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    quiet, loud = np.zeros((1000, 2)), np.full((1000, 2), [0.62, 0.0])
    chosen, f1 = moderation.best_thresholds(scores, gold, moderation.judge(templates, targets, quiet))
    assert f1 == 1 and 0.45 < chosen[0] <= 0.55
    chosen, f1 = moderation.best_thresholds(scores, gold, moderation.judge(templates, targets, loud))
    assert f1 == 1 and 0.62 < chosen[0] <= 0.8
