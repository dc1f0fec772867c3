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
from tests.workers.tasks.languages import SENTENCES, SHORT
from workers.tasks.language import LIBRARY_THRESHOLD
from workers.tasks.language_detector import _COMMON, LIMIT, RARE, UNDETERMINED, Detector
from workers.tasks.scripts import NAMES, scripts_of, written

ALL = [(code, sentence) for code, sentences in SENTENCES.items() for sentence in sentences]


@cache
def detector(*languages: str) -> Detector:
    return Detector(languages or None)


@cache
def careful() -> Detector:
    return Detector(careful=True)


def told(texts: list[str]) -> list[str]:
    """Return the labels of the task, with its default threshold."""
    best = [ranking[0] for ranking in careful().detect(texts, 1)]
    return [code if score >= LIBRARY_THRESHOLD else "und" for code, score in best]


def accuracy(change: str = "{}", *languages: str) -> dict[str, float]:
    shares = {}
    for code, sentences in SENTENCES.items():
        answers = detector(*languages).detect([change.format(sentence) for sentence in sentences])
        shares[code] = sum(answer[0][0] == code for answer in answers) / len(sentences)
    return shares


def test_the_sentences_are_what_they_say() -> None:
    assert len(SENTENCES) == 20
    assert all(len(set(sentences)) == 15 for sentences in SENTENCES.values())


@pytest.mark.parametrize("languages", [(), tuple(SENTENCES)], ids=["all", "twenty"])
def test_it_is_right(languages: tuple[str, ...]) -> None:
    shares = accuracy("{}", *languages)
    assert sum(shares.values()) / len(shares) >= 0.95
    # Some sentences are the same in Danish and Norwegian.
    assert min(shares.values()) >= 0.8, shares


def test_addresses_and_handles_do_not_mislead() -> None:
    around = "@TheRealMarkus @love_cats_forever {} https://www.example.com/articles/the-best-of-the-week?id=991"
    shares = accuracy(around)
    assert sum(shares.values()) / len(shares) >= 0.95
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


def test_it_ranks_as_the_library_does_among_the_languages_of_the_script() -> None:
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    chosen = [code for code in library.labels if len(code) == 2]
    library.set_languages(chosen)
    sentences = [sentence for _, sentence in ALL]
    by_script = written(chosen)
    for sentence, script, ranking, best in zip(
        sentences, scripts_of(sentences), *(detector().detect(sentences, n) for n in (None, 3)), strict=True
    ):
        allowed = {code for code, is_written in zip(chosen, by_script[script], strict=True) if is_written}
        shares = {code: share if code in allowed else 0.0 for code, share in library.rank(sentence)}
        total = sum(shares.values())
        assert dict(ranking) == pytest.approx({code: share / total for code, share in shares.items()}, abs=1e-5)
        assert best == ranking[:3]


@pytest.mark.parametrize(
    ("text", "script"),
    [("hello", "Latin"), ("Łódź", "Latin"), ("ПРИВЕТ ok", "Cyrillic"), ("これは私の注文", "Kana"),
     ("我的订单の", "Han"), ("iPhone 15 の価格", "Kana"), ("𠀀𠀁", "Han"), ("안녕 大韓", "Hangul"),
     ("سلام, ok", "Arabic"), ("ﷲ", "Arabic"), ("Ελλάδα", "Greek"), ("ᏣᎳᎩ", ""), ("𝓗𝓮𝓵𝓵𝓸", ""), ("12 !?", ""), ("", ""),
     ("ｈｅｌｌｏ", "Latin"), ("\ud83d a", "Latin")],
)  # fmt: skip
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert NAMES[scripts_of(["x", text, "щ"])[1]] == script


def test_every_language_is_written_in_some_script() -> None:
    known = detector().known
    table = written(known)
    assert table.any(axis=0).all()
    scripts = {code: {NAMES[row] for row in range(1, len(NAMES)) if table[row, n]} for n, code in enumerate(known)}
    assert scripts["en"] == {"Latin"}
    assert (scripts["sr"], scripts["ja"], scripts["el"]) == ({"Latin", "Cyrillic"}, {"Kana", "Han"}, {"Greek"})
    # The sentences of every language are in one of its scripts.
    for code, sentence in ALL:
        assert NAMES[scripts_of([sentence])[0]] in scripts[code], sentence


@pytest.mark.parametrize(
    "text",
    ["Πού είναι η παραγγελία μου;", "شكرا", "سلام، سفارش من کو؟", "Где мой заказ?", "注文はどこですか",
     "내 주문 어디 있어요", "मेरा ऑर्डर कहाँ है", "ሰላም ነው", "איפה ההזמנה שלי"],
)  # fmt: skip
def test_a_script_in_which_no_chosen_language_is_written(text: str) -> None:
    assert detector("en", "de", "fr").detect([text, "where is my order"])[0] == [UNDETERMINED]
    assert detector("en", "de", "fr", "ar", "ru", "ja").detect([text])[0] == [UNDETERMINED] or text in (
        "شكرا", "سلام، سفارش من کو؟", "Где мой заказ?", "注文はどこですか",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [("hello there", "en"), ("good day sir", "en"), ("Мне нужен возврат денег", "ru"), ("thanks", "en"), ("ok", "en"),
     ("danke", "de"), ("это не мой заказ", "ru"), ("no problem at all", "en"), ("lol", "en")],
)  # fmt: skip
def test_a_few_words_get_the_right_answer_or_none(text: str, code: str) -> None:
    assert told([text])[0] in (code, "und")


def test_short_texts_are_right_or_undetermined() -> None:
    pairs = [(code, phrase) for code, phrases in SHORT.items() for phrase in phrases]
    labels = told([phrase for _, phrase in pairs])
    right = sum(label == code for (code, _), label in zip(pairs, labels, strict=True))
    assert right / len(pairs) >= 0.73
    assert (len(pairs) - labels.count("und") - right) / len(pairs) <= 0.05


def test_nearly_all_sentences_are_told() -> None:
    labels = told([sentence for _, sentence in ALL])
    assert sum(label == code for (code, _), label in zip(ALL, labels, strict=True)) / len(ALL) >= 0.98


def test_a_doubtful_text_is_undetermined_and_ranked_all_the_same() -> None:
    texts = [phrase for phrases in SHORT.values() for phrase in phrases]
    doubts = 0
    for cautious, ranking in zip(careful().detect(texts), detector().detect(texts), strict=True):
        odds = {code: score * (1 if code in _COMMON else RARE) for code, score in ranking}
        doubtful = max(odds, key=odds.__getitem__) != ranking[0][0]
        assert cautious == [UNDETERMINED] * doubtful + ranking
        doubts += doubtful
    assert doubts
    assert Detector(["en", "st", "so"], careful=True).detect(["hello there"])[0][0][0] == "st"


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
