"""The project's own questions: enough of them, none that was trained on, and counted right."""

from __future__ import annotations

import re

import pytest

from training import own, phrases, templates
from training.own_identity import TEMPLATES, TERMS, sentences, wilson
from training.own_languages import SENTENCES
from training.own_sentences import PAIRS, SINGLES

TAUGHT = [
    *templates.HARMLESS, *templates.OFFENSIVE, *templates.HATEFUL, *phrases.HARMLESS, *phrases.OFFENSIVE,
    *phrases.HATEFUL, *phrases.NAMED, *phrases.PERSONAL,
    *(text for made in phrases.SENTIMENT.values() for text in made),
]  # fmt: skip


def shape(text: str) -> str:
    """A template without its gaps, a sentence as it is: small letters and no punctuation."""
    return re.sub(r"\W+", " ", re.sub(r"\{.*?\}", "", text)).strip().lower()


def test_there_are_sixty_sentences_and_none_is_taught() -> None:
    texts = [single.text for single in SINGLES]
    assert len(texts) == len(set(texts)) >= 60
    # What is nearly all gaps would match anything.
    said = [text for text in TAUGHT if len(shape(text).split()) > 2]
    taught = [re.compile(re.sub(r"\\\{.*?\\\}", ".{1,25}", re.escape(text)), re.IGNORECASE) for text in said]
    for text in [*texts, *(pair.text for pair in PAIRS)]:
        assert not any(one.fullmatch(text) for one in taught), text


def test_what_is_expected_stands_in_the_text() -> None:
    for single in SINGLES:
        for surface, _ in (*(single.names or ()), *(single.personal or ())):
            assert surface in single.text
    for pair in PAIRS:
        if pair.task in {"question-answering", "coreference"}:
            assert pair.expected in pair.text
        if pair.task == "zero-shot":
            assert pair.expected in pair.asked


def test_a_hundred_templates_meet_every_term_once() -> None:
    made = list(sentences())
    assert len(TEMPLATES) == 100 and len(TERMS) == 6
    assert all(len(terms) >= 5 for terms in TERMS.values())
    assert len({one.text for one in made}) == len(made) == 100 * sum(map(len, TERMS.values()))
    assert all(one.term in one.text and "{" not in one.text for one in made)
    assert "I share an office with an Arab accountant." in {one.text for one in made}
    assert not {shape(template) for template in TEMPLATES} & {shape(text) for text in TAUGHT if shape(text)} - {"i am"}


def test_twenty_languages_have_a_dozen_sentences_each() -> None:
    assert len(SENTENCES) == 20
    assert all(len(set(texts)) == 12 for texts in SENTENCES.values())


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # statsmodels 0.14, proportion_confint(method="wilson").
    [(0, 100, 0.0, 0.036995), (5, 100, 0.021544, 0.111751), (100, 100, 0.963005, 1.0)],
)
def test_wilson(hits: int, count: int, low: float, high: float) -> None:
    assert wilson(hits, count) == pytest.approx((low, high), abs=1e-5)


def test_the_place_of_a_word_is_where_it_stands_alone() -> None:
    text = "Maria told her brother that he had won."
    assert text[slice(*own._place(text, "he"))] == "he" and own._place(text, "he") == (28, 30)
    assert own._place(text, "her") == (11, 14)
