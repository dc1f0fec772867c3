from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ModelError
from workers.pii import checks
from workers.pii.finding import Finding, Words
from workers.pii.recognizers import Recognizers, known_entities

RECOGNIZERS = Recognizers()

EVERYDAY = (
    "The meeting is at 10:30 on 12 May 2024, in room 1204.",
    "It cost $1,299.99, down from $1,499.00 in 2023.",
    "Order 4711-0815 shipped on 2024-01-15 at 14:05:33.",
    "ISBN 978-3-16-148410-0 is out of print; try ISBN 0-306-40615-2.",
    "Version 2.4.1 fixes what 2.4.0 broke, see chapter 3.2.1.",
    "The flat has 85 m2 and costs 1 250 000 kr.",
    "Flight LH 1234 leaves gate B42 at 06:55.",
    "He ran 42.195 km in 2:14:59, 31 seconds faster than in 2019.",
    "The population grew from 1990 to 2020 by 12 345 678 people.",
    "Invoice no. 2024000123, order number 300123456.",
    "Pi is about 3.14159265358979 and e is 2.718281828459045.",
    "Call of Duty 4 came out in 2007, and GTA V on 17/09/2013.",
    "Windows 10.0.19041.1 and Chrome 120.0.6099.130 are installed.",
    "I got 99 problems; 50% of 200 is 100.",
    "Chapter 12, verses 3-5; pages 123-145.",
    "Your parcel 00340434161094042557 will arrive between 9 and 12.",
    "The score was 3:2 after extra time, 5:4 on penalties!",
    "She was born on 3.4.1985 and turned 39.",
    "Use std::vector<int> and foo::bar, not a[0:10].",
    "At 20:15 CET (19:15 UTC) on channel 4.",
    "We sold 1,234,567 units for EUR 12.345.678,90.",
    "Ticket #1234567 was closed as a duplicate of #987654.",
    "Temperatures from -12 to +35 degrees; 1013 hPa.",
    "Route 66 is 3,940 km long; take exit 104B.",
    "The 2020/2021 season had 38 matches.",
    "That happened e.g. in Q3/2022.Then it stopped.",
    "Mix 250 g flour, 3 eggs and 1.5 l milk; bake 45 min at 180 C.",
    "The commit 3f72d7a93c0e4b1f is on main since 2024-03-01T12:00:00Z.",
    "SKU 12345678-001, EAN 4006381333931, 10 pcs.",
    "RFC 2616 was replaced by RFC 7230-7235 in June 2014 @ IETF 90.",
    "Article 5(1)(b) of Regulation 2016/679 applies since 25 May 2018.",
)


@pytest.mark.parametrize("text", EVERYDAY)
def test_everyday_numbers_are_left_alone(text: str) -> None:
    assert [(one.label, text[one.start : one.end]) for one in RECOGNIZERS.find(text) if one.score >= 0.5] == []


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("912803456 {}", "US_PASSPORT"),
        ("{} 945456787654", "US_BANK_NUMBER"),
        ("{} 111000025", "ABA_ROUTING_NUMBER"),
        ("{} 123456782", "AU_TFN"),
        ("{} 9434765919", "UK_NHS"),
        ("{} 9472 7916", "PHONE_NUMBER"),
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
    }[entity]
    far = f"{words} was all that he would say to us on that day about" if not text.startswith("9") else "x " * 5 + words

    def score(context: str) -> float:
        (found,) = [one.score for one in RECOGNIZERS.find(text.format(context)) if one.label == entity]
        return found

    assert score("") < 0.5
    assert score("so to say") < 0.5
    assert score(far) < 0.5
    assert score(words) >= 0.5


def test_words_that_speak_against_it_lower_a_score() -> None:
    def score(text: str) -> float:
        return max(one.score for one in RECOGNIZERS.find(text))

    assert score("runs version 10.1.2.3 here") < 0.5 <= score("runs at 10.1.2.3 here")
    assert score("order no. 650-253-0000") < 0.5 <= score("it is 650-253-0000")


def test_context_is_whole_words_and_their_plurals() -> None:
    words = Words.of("tax id, cell")
    assert words.near("my Tax-ID: 123", 11, 14)
    assert words.near("two cells 123", 10, 13)
    assert words.near("123 is my cell", 0, 3)
    assert not words.near("excellent 123", 10, 13)
    assert not words.near("tax 123 id", 4, 7)
    assert not Words(()).near("anything 123 at all", 9, 12)


@given(st.text(st.sampled_from("12 3.-/:@aB()+x\n\u00e9\U0001f642"), max_size=60))
def test_findings_lie_in_the_text_in_order_and_each_once(text: str) -> None:
    findings = RECOGNIZERS.find(text)
    spans = [(one.start, one.end, one.label) for one in findings]
    assert spans == sorted(set(spans))
    for one in findings:
        assert 0 <= one.start < one.end <= len(text)
        assert 0 <= one.score <= 1
        assert text[one.start : one.end].strip() == text[one.start : one.end]


@pytest.mark.parametrize(
    "unit",
    ["1", "4", "@", ".", "a", "A", "-", ":", "(", "1-", "1.", "1:", "a.", "a@", "a@b.", "www.", "f::", "1A", "http://"],
)
def test_a_megabyte_of_it_is_read_in_time(unit: str) -> None:
    RECOGNIZERS.find(unit * (1_000_000 // len(unit)))


@pytest.mark.parametrize("closing", [")", "]", ".", "))]."])
def test_a_url_with_a_long_tail_of_punctuation_ends_before_it(closing: str) -> None:
    text = f"http://example.com/x{closing * 100_000}"
    assert [(one.start, one.end) for one in RECOGNIZERS.find(text)] == [(0, 20)]


def test_findings_grow_with_the_text_and_so_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    check = checks.stdnum("luhn")

    def counted(name: str) -> object:
        def valid(number: str) -> bool:
            nonlocal calls
            calls += 1
            assert len(number) <= 19
            return check(number)

        return valid

    monkeypatch.setattr(checks, "stdnum", counted)
    cards = Recognizers(["CREDIT_CARD"])
    work = []
    for size in (1000, 2000):
        calls = 0
        assert len(cards.find("4111 " * size)) <= size
        work.append(calls)
    assert work[1] <= 2 * work[0] + 10


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
    assert [(one.label, text[one.start : one.end], one.score) for one in both.find(text)] == [
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
    assert {one.label for one in Recognizers(["US_SSN"]).find(text)} == {"US_SSN"}
    assert Recognizers([]).find(text) == []
    assert {one.label for one in RECOGNIZERS.find(text)} >= {"EMAIL_ADDRESS", "US_SSN", "URL"}
    assert RECOGNIZERS.entities == set(known_entities())
    with pytest.raises(ValueError, match="NO_SUCH, SSN"):
        Recognizers(["SSN", "NO_SUCH", "URL"])


def test_regions_choose_whose_phone_numbers_need_no_country_code() -> None:
    text = "01 42 68 53 00"  # a number of the French telecoms regulator's range for fiction

    def score(*regions: str) -> float:
        return max((one.score for one in Recognizers(["PHONE_NUMBER"], regions).find(text)), default=0.0)

    assert score("US", "GB") < 0.5 <= score("US", "FR")
    with pytest.raises(ValueError, match="XX"):
        Recognizers(regions=("US", "XX"))
    with pytest.raises(ValueError, match="none"):
        Recognizers(regions=())


@pytest.mark.parametrize(("module", "package"), [("stdnum", "python-stdnum"), ("phonenumbers", "phonenumbers")])
def test_a_missing_library_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    find_spec = checks.find_spec
    monkeypatch.setattr(checks, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(ModelError, match=rf"^{package} is not .*pip install 'glossator\[pii\]'"):
        Recognizers()
