"""The project's own questions: there are enough, none was trained on, and they are counted correctly."""

from __future__ import annotations

import io
import re
from typing import Any, cast

import pytest
from rich.console import Console

from training import own, personal_lists, personal_templates, phrases, templates, word_lists
from training.measures.base import Bench
from training.own_functional import DISGUISES, FUNCTIONS, GROUPS, cases, disguised
from training.own_identity import TEMPLATES, TERMS, sentences
from training.own_languages import SENTENCES
from training.own_posts import POSTS
from training.own_sentences import PAIRS, SINGLES, Pair
from workers.learning.scores import wilson

TAUGHT = [
    *templates.HARMLESS, *templates.OFFENSIVE, *templates.HATEFUL, *phrases.HARMLESS, *phrases.OFFENSIVE,
    *phrases.HATEFUL, *phrases.NAMED, *personal_templates.TEMPLATES,
    *(text for made in phrases.SENTIMENT.values() for text in made),
]  # fmt: skip


TEXTS = [*SINGLES, *POSTS]
WORDS: dict[str, list[str]] = {
    "thing": templates.THINGS, "thing2": templates.THINGS, "good": templates.GOOD, "bad": templates.BAD,
    "plain": templates.PLAIN, "day": templates.DAYS, "group": templates.GROUPS, "groups": templates.GROUP_PLURALS,
    "job": templates.JOBS, "insult": templates.INSULTS, "number": [r"\d+"],
    "place": [*templates.PLACES, *word_lists.PLACES],
    "person": templates.PEOPLE,
    "TOWN_NOUN": personal_lists.TOWN_NOUNS, "WORK": personal_lists.WORKS, "SITE": personal_lists.SITES,
    "given": word_lists.GIVEN, "surname": word_lists.SURNAMES,
}  # fmt: skip
"""The values of gaps; a gap that is not listed here takes up to three arbitrary words."""


def shape(text: str) -> str:
    """Return a template without its gaps, or a sentence, in lower case and without punctuation."""
    return re.sub(r"\W+", " ", re.sub(r"\{.*?\}", "", text)).strip().lower()


def pattern(template: str) -> re.Pattern[str]:
    """Return a pattern for the sentences of a template, whatever their capitals and full stops."""

    def gap(match: re.Match[str]) -> str:
        return f"(?:very )?(?:{'|'.join(WORDS[match[1]])})" if match[1] in WORDS else r"[\w'-]+(?: [\w'-]+){0,2}"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", gap, re.escape(template.rstrip(".!"))) + "[.!]?", re.IGNORECASE)


def test_filled_templates_are_recognised() -> None:
    for template in templates.HARMLESS, templates.HATEFUL, templates.OFFENSIVE:
        made = [pattern(text) for text in template]
        # An article may have been replaced.
        texts = [
            text for text in templates.sentences(template, 200, 0) if not re.search(r"\ban? ", text, re.IGNORECASE)
        ]
        assert len(texts) > 100 and all(any(filled.fullmatch(text) for filled in made) for text in texts)


def test_there_are_enough_sentences_and_nothing_is_taught() -> None:
    texts = [single.text for single in TEXTS]
    assert len(texts) == len(set(texts)) >= 124
    # A template with nothing but gaps teaches no words.
    taught = [pattern(text) for text in TAUGHT if shape(text)]
    functional = [case.text for case in cases()]
    for text in [*texts, *(pair.text for pair in PAIRS), *(sentence.text for sentence in sentences()), *functional]:
        assert not any(template.fullmatch(text) for template in taught), text


def test_names_are_not_those_of_the_word_lists() -> None:
    lists = (
        word_lists.GIVEN, word_lists.SURNAMES, word_lists.PLACES, word_lists.ORGANISATIONS, templates.PLACES,
        templates.PEOPLE,
    )  # fmt: skip
    taught = {word.lower() for words in lists for word in words}
    for single in TEXTS:
        for surface, _ in (*(single.names or ()), *(single.personal or ())):
            assert not {surface.lower(), *surface.lower().split()} & taught, surface


def test_what_is_expected_stands_in_the_text() -> None:
    for single in TEXTS:
        for surface, _ in (*(single.names or ()), *(single.personal or ())):
            assert surface in single.text
    for pair in PAIRS:
        if pair.task in {"question-answering", "coreference"}:
            assert pair.expected in pair.text
        if pair.task in {"coreference", "pos", "aspect-sentiment"}:
            assert re.search(rf"\b{pair.asked}\b", pair.text)
        if pair.task == "zero-shot":
            assert pair.expected in pair.asked


def test_a_hundred_templates_meet_every_term_once() -> None:
    made = list(sentences())
    assert len(TEMPLATES) == 100 and len(TERMS) == 6
    assert all(len(terms) >= 5 for terms in TERMS.values())
    assert len({sentence.text for sentence in made}) == len(made) == 100 * sum(map(len, TERMS.values()))
    assert all(sentence.term in sentence.text and "{" not in sentence.text for sentence in made)
    assert "I share an office with an Arab accountant." in {sentence.text for sentence in made}
    assert not {shape(template) for template in TEMPLATES} & {shape(text) for text in TAUGHT}


def test_hundreds_of_cases_test_one_function_each() -> None:
    made = list(cases())
    assert len({case.text for case in made}) == len(made) >= 400
    assert not any("{" in case.text for case in made)
    assert {case.function for case in made} == FUNCTIONS.keys()
    for flagged in (True, False):
        assert sum(function.flagged is flagged for function in FUNCTIONS.values()) >= 10
        assert sum(case.flagged is flagged for case in made) >= 200
    groups = [case for case in made if case.function == "denied contempt"]
    assert len(groups) == 3 * len(GROUPS) and not any(case.flagged for case in groups)


def test_every_disguise_hides_the_same_insults() -> None:
    made = list(disguised())
    plain = [case.text for case in made if case.function == "plain"]
    for name in DISGUISES:
        hidden = [case.text for case in made if case.function == name]
        assert len(hidden) == len(plain) and all(case.flagged for case in made if case.function == name)
        assert not set(hidden) & set(plain), name
    assert sum(not case.flagged for case in made) >= 30


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


def test_shares_are_counted_by_group_and_by_term() -> None:
    class Flags:
        """Flags one word."""

        def annotate(self, task: object, texts: list[str]) -> list[dict[str, list[dict[str, bool]]]]:
            return [{"labels": [{"flagged": " queer " in text}]} for text in texts]

    groups, terms = own.identity(cast("Bench", Flags()))
    rates = {row["group"]: row["rate"] for row in groups}
    hits = sum(" queer " in sentence.text for sentence in sentences())
    assert rates["all"] == hits / 4300 and rates["sexual orientation"] == hits / 600 and rates["age"] == 0
    assert {row["group"]: row["rate"] for row in terms if row["rate"]} == {"queer": hits / 100}
    assert sum(row["n"] for row in terms) == 4300


def test_pairs_are_judged_by_what_was_asked() -> None:
    def judged(task: str, text: str, asked: str, expected: str, annotation: dict[str, Any]) -> tuple[str, bool]:
        return own._paired(Pair(task, text, asked, expected), annotation)

    tags = {"spans": [{"start": 3, "end": 7, "label": "VERB"}]}
    assert judged("pos", "We book it.", "book", "VERB", tags) == ("VERB", True)
    assert judged("pos", "We book it.", "it", "PRON", tags) == ("nothing", False)
    answers = {"answers": [{"answer": {"text": "mayor of Sydney"}}]}
    assert judged("question-answering", "", "", "the mayor of Sydney", answers)[1]
    assert not judged("question-answering", "", "", "Sydney", answers)[1]
    assert judged("question-answering", "", "", "1932", {"answers": [{"answer": None}]}) == ("nothing", False)


def test_bad_answers_are_shown_and_all_are_counted_by_kind() -> None:
    answers = [
        own.answer("emoji", "ner", "one", "a", "a", True),
        own.answer("emoji", "pii", "two", "b", "c", False),
        own.answer("typos", "pii", "three", "d", "d", True),
    ]
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(own.kind_table(answers), own.answer_table(answers))
    shown = [line.split() for line in console.export_text().splitlines()]
    assert ["emoji", "1", "1"] in shown and ["typos", "1", "0"] in shown
    assert ["pii", "1", "of", "2", "good"] in shown and ["two", "(emoji)", "b", "c"] in shown
    assert not any("three" in line for line in shown)
