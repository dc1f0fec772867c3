from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ModelError
from workers.pii.finding import Finding, Words
from workers.pii.recognizers import ONLY_IF_NAMED, Recognizers, known_entities

RECOGNIZERS = Recognizers()


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("912803456 {}", "US_PASSPORT"),
        ("{} 945456787654", "US_BANK_NUMBER"),
        ("{} 111000025", "ABA_ROUTING_NUMBER"),
        ("{} 123456782", "AU_TFN"),
        ("{} 9434765919", "UK_NHS"),
        ("{} 9472 7916", "PHONE_NUMBER"),
        ("{} 00:11:22:33:44:55", "MAC_ADDRESS"),
    ],
)
def test_a_weak_pattern_needs_its_word_near_it(text: str, entity: str) -> None:
    words = {
        "US_PASSPORT": "is my Passport",
        "US_BANK_NUMBER": "savings account:",
        "ABA_ROUTING_NUMBER": "routing",
        "AU_TFN": "my tax file no.",
        "UK_NHS": "NHS",
        "PHONE_NUMBER": "call me on",
        "MAC_ADDRESS": "its MAC is",
    }[entity]
    far = f"{words} was all that he would say to us on that day about" if not text.startswith("9") else "x " * 5 + words

    def score(context: str) -> float:
        (weak,) = [finding.score for finding in RECOGNIZERS.find(text.format(context)) if finding.label == entity]
        return weak

    assert score("") < 0.5
    assert score("so to say") < 0.5
    assert score(far) < 0.5
    assert score(words) >= 0.5


def test_words_that_speak_against_it_lower_a_score() -> None:
    def score(text: str) -> float:
        return max(finding.score for finding in RECOGNIZERS.find(text))

    assert score("runs version 10.1.2.3 here") < 0.5 <= score("runs at 10.1.2.3 here")
    assert score("order no. 650-253-0000") < 0.5 <= score("it is 650-253-0000")
    # Where words speak for it and against it, the nearest decides.
    assert score("To order, call 650-253-0000") > score("it is 650-253-0000")
    assert score("call about order 650-253-0000") < 0.5
    assert score("server version 10.1.2.3") < 0.5 <= score("version of the server 10.1.2.3")


def test_context_is_whole_words_and_their_plurals() -> None:
    words = Words.of("tax id, cell")
    assert words.near("my Tax-ID: 123", 11, 14)
    assert words.near("two cells 123", 10, 13)
    assert words.near("123 is my cell", 0, 3)
    assert [words.near(text, 3, 6) for text in ("   123", "a  123 cell", "   123 my cell")] == [None, 3, 6]
    # In key=value the word before is nearer; a name in camel case is several words.
    assert words.near("cell=123 cell=4", 5, 8) == 1
    assert words.near('"taxIdNumber":"123"', 15, 18)
    assert not words.near("excellent 123", 10, 13)
    assert not words.near("tax 123 id", 4, 7)
    assert not Words(()).near("anything 123 at all", 9, 12)


@given(st.text(st.sampled_from("12 3.-/:@aB()+x\n\u00e9\U0001f642"), max_size=60))
def test_findings_lie_in_the_text_in_order_and_each_once(text: str) -> None:
    findings = RECOGNIZERS.find(text)
    spans = [(finding.start, finding.end, finding.label) for finding in findings]
    assert spans == sorted(set(spans))
    for finding in findings:
        assert 0 <= finding.start < finding.end <= len(text)
        assert 0 <= finding.score <= 1
        assert text[finding.start : finding.end].strip() == text[finding.start : finding.end]


@dataclass(frozen=True)
class Shouting:
    """A recogniser from outside: words in capitals; counts how often it is asked."""

    name: str = "shouting"
    entity: str = "SHOUT"
    digits: int = 0
    hint: re.Pattern[str] | None = None
    context: Words | None = None
    against: Words | None = None

    def find(self, text: str) -> Iterator[Finding]:
        for match in re.finditer("[A-Z]{2,}", text):
            yield Finding(match.start(), match.end(), self.entity, 0.3, self.name, checked=False)


def test_recognizers_of_others_take_part() -> None:
    both = Recognizers(["SHOUT", "URL"], extra=[Shouting(context=Words.of("loud"))])
    assert both.entities == {"SHOUT", "URL"}
    text = "LOUD noise, see example.com or a@example.org"
    assert [(finding.label, text[finding.start : finding.end], finding.score) for finding in both.find(text)] == [
        ("SHOUT", "LOUD", 0.3),
        ("URL", "example.com", 0.6),
    ]
    assert both.find("a loud HEY")[0].score == pytest.approx(0.65)
    assert "SHOUT" not in Recognizers(["URL"], extra=[Shouting()]).entities


def test_a_recognizer_is_asked_only_where_its_hint_and_its_digits_are() -> None:
    def found(text: str, **wants: object) -> list[Finding]:
        return Recognizers(["SHOUT"], extra=[Shouting(**wants)]).find(text)  # type: ignore[arg-type]

    assert not found("HEY you", hint=re.compile("!"))
    assert found("HEY you!", hint=re.compile("!"))
    assert not found("HEY 12 and 34", digits=4)
    assert found("HEY 12-3A4", digits=4)


def test_entities_choose() -> None:
    text = "bob@example.com, 536-90-4399, https://example.com"
    assert {finding.label for finding in Recognizers(["US_SSN"]).find(text)} == {"US_SSN"}
    assert Recognizers([]).find(text) == []
    assert {finding.label for finding in RECOGNIZERS.find(text)} >= {"EMAIL_ADDRESS", "US_SSN", "URL"}
    assert RECOGNIZERS.entities == set(known_entities()) - ONLY_IF_NAMED
    assert Recognizers(known_entities()).entities == set(known_entities())
    with pytest.raises(ValueError, match="NO_SUCH, SSN"):
        Recognizers(["SSN", "NO_SUCH", "URL"])


def test_regions_choose_whose_phone_numbers_need_no_country_code() -> None:
    text = "01 42 68 53 00"  # a number of the French telecoms regulator's range for fiction

    def score(*regions: str) -> float:
        return max((finding.score for finding in Recognizers(["PHONE_NUMBER"], regions).find(text)), default=0.0)

    assert score("US", "GB") < 0.5 <= score("US", "FR")
    with pytest.raises(ValueError, match="XX"):
        Recognizers(regions=("US", "XX"))
    with pytest.raises(ValueError, match="none"):
        Recognizers(regions=())


@pytest.mark.parametrize(("module", "package"), [("stdnum", "python-stdnum"), ("phonenumbers", "phonenumbers")])
def test_a_missing_library_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setattr("workers.pii.checks.find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(ModelError, match=rf"^{package} is not .*pip install 'glossator\[pii\]'"):
        Recognizers()
