"""Disguised words are read beside the text, and no other text has a view."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tasks.disguises import views

FIRE, JOY, CLOWN = "\N{FIRE}", "\N{FACE WITH TEARS OF JOY}", "\N{CLOWN FACE}"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("you are an 1d10t", "you are an idiot"),
        ("go ki11 yourself", "go kill yourself"),
        ("what a b1tch!!", "what a bitch!!"),
        ("b!tch", "bitch"),
        ("you a$$hole", "you asshole"),
        ('a "w0rthless" man', 'a "worthless" man'),
        ("5hithead", "shithead"),
        ("SH1TTY", "SHiTTY"),
        ("st\N{EURO SIGN}pid", "stepid"),
        ("k i l l yourself", "kill yourself"),
        ("k.i.l.l yourself", "kill yourself"),
        ("k-i-l-l, now", "kill, now"),
        ("K I L L  Y O U R S E L F", "KILL  YOURSELF"),
        ("k 1 l l him", "kill him"),
        ("you are a f o o l", "you are a fool"),
        ("stuuuupid", "stupid"),
        ("kiiiillllll", "kill"),
        ("f\u0430gg\u043et", "faggot"),
        ("\u0443\u043eu \u0430r\u0435 stu\u0440\u0456d", "you are stupid"),
        ("\u03b9di\u03bft", "idiot"),
        (f"st{FIRE}upid", "stupid"),
        (f"i{JOY}d{JOY}i{JOY}o{JOY}t", "idiot"),
        (f"you{CLOWN}are{CLOWN}an{CLOWN}idiot", "you are an idiot"),
        ("ꜰᴜᴄᴋ ʏᴏᴜ", "fuck you"),
        ("ᶠᵘᶜᵏ ʸᵒᵘ", "fuck you"),
        ("f\u200bu\u200bc\u200bk y0ur\u200bself", "fuck yourself"),
    ],
)
def test_what_a_disguise_means_is_among_the_views(text: str, meant: str) -> None:
    made = views(text, cleaned=True)
    assert meant in made
    assert len(made) <= 2 and text not in made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "It was far from perfect, and I left early.",
        "Dr. A. B. Smith, of the U.S.A., wrote to J.R.R. Tolkien at 10 a.m.",
        "an mp3 of the 80s, 4th of May 2019, B2B, H2O, COVID19, i18n, k8s, 1080p, 5pm",
        "write to a@example.com, see http://t.co/a1b2c3 and #win11, @user1",
        "It costs $5, 5€ or 5$!",
        "d34db33f 550e8400-e29b-41d4-a716-446655440000 e3b0c44298fc1c149afbf4c8996fb924",
        "1 2 3 4, 1.2.3.4, 10-11-12",
        "www hmmm aaah III VIII zzz oooh",
        "Straße, naïve, Łódź, Việt Nam, garçon, Ærø, İstanbul",
        "Привет, это просто текст. ΑΒΓ και άλλα. שלום עולם",
        "5 μm, 3 kΩ, α-helix",
        f"well done {CLOWN}{FIRE} everybody{JOY}",
        "Great ideas!Really",
        "Is it true?Yes...",
        "I, a man; a, b and c",
    ],
)
def test_other_texts_have_no_view(text: str) -> None:
    assert views(text, cleaned=True) == ()


@given(st.lists(st.text(string.ascii_letters, min_size=1, max_size=9), max_size=30), st.sampled_from([" ", ", ", "\n"]))
def test_words_of_letters_have_no_view(words: list[str], space: str) -> None:
    """Unless a letter is repeated, or there are spaces between letters."""
    plain = [word for word in words if len(word) > 1 and not any(3 * letter in word for letter in word)]
    assert views(space.join(plain), cleaned=True) == ()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.booleans())
def test_any_text_has_two_views_at_most(text: str, cleaned: bool) -> None:
    made = views(text, cleaned=cleaned)
    assert len(made) <= 2
    assert len(set(made)) == len(made)
    assert all(view.strip() for view in made)


@given(st.text("абвгдежзиклмнопрстуфхцчшщыэюя ,.", max_size=100))
def test_a_text_in_another_script_has_no_view(text: str) -> None:
    assert views(text, cleaned=True) == ()


@pytest.mark.parametrize("text", ["ｙｏｕ ｉｄｉｏｔ", "you id\u200bi\u200bot"])
def test_what_a_tokenizer_cleans_itself_has_no_view(text: str) -> None:
    assert views(text, cleaned=True) == ()
    assert views(text, cleaned=False) == ("you idiot",)


@pytest.mark.parametrize("text", ["\u200b", "\u200b \u2060\n"])
def test_a_text_that_cannot_be_seen_has_no_view(text: str) -> None:
    assert views(text, cleaned=False) == ()


def test_of_a_long_text_only_the_passages_with_disguises_are_read_again() -> None:
    plain = "The committee meets on Thursday to discuss the harbour. " * 40
    text = f"{plain}you are an 1d10t {plain}and a f-o-o-l {plain}"
    (first, second) = views(text, cleaned=True)
    assert "you are an idiot The committee" in first and "and a fool The" in first
    assert "you are an ldlot" in second
    assert len(first) < 2000 < len(text)
    assert views(plain * 3, cleaned=True) == ()


def test_no_text_takes_long() -> None:
    """No pattern backtracks without end: the time grows with the length, not with its square."""
    parts = ("a", "a ", "a.", "1a", "a1", "aA", "\u0430a", f"a{FIRE}", "a\u200b", "$", "@a", " \n", "aaab")
    texts = [part * (100_000 // len(part)) for part in parts]
    texts += ["ab" * 50_000 + " aaa", "!" * 100_000 + "/ 1d10t", "!a" * 50_000 + "/ 1d10t"]
    for text in texts:
        started = time.process_time()
        views(text, cleaned=True)
        assert time.process_time() - started < 20, text[:9]


@pytest.mark.parametrize("text", ["see !a1b2c3/x1y", "b1tch.es", "#b!tch&", "an !1d10t:"])
def test_a_word_that_goes_on_is_no_disguise(text: str) -> None:
    assert views(text, cleaned=True) == ()
