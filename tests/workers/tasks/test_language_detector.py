"""The language detector on sentences in twenty languages, and on texts without a language."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from schemas.errors import ModelError
from tests.thoroughness import examples
from tests.workers.tasks.languages import SENTENCES
from workers.tasks.language_detector import LIMIT, UNDETERMINED, Detector

ALL = [(code, sentence) for code, sentences in SENTENCES.items() for sentence in sentences]


@cache
def detector(*languages: str) -> Detector:
    return Detector(languages or None)


def accuracy(change: str = "{}", *languages: str) -> dict[str, float]:
    found = {}
    for code, sentences in SENTENCES.items():
        answers = detector(*languages).detect([change.format(sentence) for sentence in sentences])
        found[code] = sum(answer[0][0] == code for answer in answers) / len(sentences)
    return found


def test_the_sentences_are_what_they_say() -> None:
    assert len(SENTENCES) == 20
    assert all(len(set(sentences)) == 15 for sentences in SENTENCES.values())


@pytest.mark.parametrize("languages", [(), tuple(SENTENCES)], ids=["all", "twenty"])
def test_it_is_right(languages: tuple[str, ...]) -> None:
    found = accuracy("{}", *languages)
    assert sum(found.values()) / len(found) >= 0.95
    # Some sentences are the same in Danish and Norwegian.
    assert min(found.values()) >= 0.8, found


def test_addresses_and_handles_do_not_mislead() -> None:
    around = "@TheRealMarkus @love_cats_forever {} https://www.example.com/articles/the-best-of-the-week?id=991"
    found = accuracy(around)
    assert sum(found.values()) / len(found) >= 0.95
    bare, dressed = detector().detect(["ja", "@news24live ja www.bbc.co.uk/news/world-europe"])
    assert dressed[0][0] == bare[0][0]
    glued = "https://t.co/AbC123xYz今朝も電車が遅れていました"
    assert detector().detect([glued])[0][0][0] == "ja"


def test_probabilities() -> None:
    for ranking in detector().detect([sentence for _, sentence in ALL]):
        scores = [score for _, score in ranking]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1, abs=1e-4)
        codes = [code for code, _ in ranking]
        assert len(set(codes)) == len(codes)
        assert all(len(code) == 2 for code in codes)
        assert all(type(score) is float for score in scores)
    (ranking,) = detector("de", "en").detect(["Das ist ein Haus"])
    assert [code for code, _ in ranking] == ["de", "en"]
    assert detector("yue", "en").detect(["你食咗飯未呀"])[0][0][0] == "yue"


def test_it_ranks_as_the_library_does() -> None:
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    library.set_languages([code for code in library.labels if len(code) == 2])
    for (_, sentence), ranking, best in zip(
        ALL, *(detector().detect([s for _, s in ALL], n) for n in (None, 3)), strict=True
    ):
        assert best == ranking[:3]
        assert dict(ranking) == pytest.approx(dict(library.rank(sentence)), abs=1e-5)


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "🎉🎉", "👩‍👩‍👧‍👦 🇩🇪", "12345 67.890", "!!! ???", "5️⃣", "\x00\x01", "@someone", "https://example.com/a/page",
     "@a www.example.com 12", "ok", "\U0001f389" * 1_000_000, " " * LIMIT + "This is English beyond the limit"],
    ids=range(14),
)  # fmt: skip
def test_no_language(text: str) -> None:
    assert detector().detect([text]) == [[UNDETERMINED]]


def test_letters_that_are_no_words_are_hardly_believed() -> None:
    (ranking,) = detector().detect(["x" * 1_000_000])
    assert ranking[0][1] < 0.1


def test_a_million_characters_are_told_by_their_beginning() -> None:
    english = "The train was late again this morning. "
    long = english * 100 + "Der Zug hatte Verspätung. " * 40_000
    assert detector().detect([long]) == detector().detect([long[:LIMIT]])
    assert detector().detect([long])[0][0][0] == "en"


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.text(max_size=60), max_size=4))
def test_neighbours_do_not_matter(texts: list[str]) -> None:
    answers = detector().detect(texts)
    assert answers == [detector().detect([text])[0] for text in texts]
    assert all(answer for answer in answers)


def test_two_threads_say_what_one_says() -> None:
    texts = [sentence for _, sentence in ALL]
    expected = Detector().detect(texts)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: detector().detect(texts), range(6)))
    assert runs == [expected] * 6


def test_a_language_it_does_not_know() -> None:
    with pytest.raises(ModelError, match="py3langid does not know qq, xx; it knows: ace, af, am"):
        Detector(["en", "xx", "qq"])


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(ModelError, match=r"pip install 'glossator\[language\]'"):
        Detector()


def test_it_says_what_it_is() -> None:
    assert detector().name == "py3langid"
    assert detector().version[0].isdigit()
