"""Unusual separators, other scripts' digits, full-width forms and invisible characters: all recognisers read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.pii.reading import spans, values
from workers.pii.normalisation import plain

SEPARATORS = (".", "\t", "  ", "\u2009", "\u3000", "\u00a0", "\u202f", "－", "—", "–", "\u2011", " ", "-")
GROUPED = (
    ("ssn {}", "US_SSN", ("512", "34", "5678")),
    ("card {}", "CREDIT_CARD", ("4111", "1111", "1111", "1111")),
    ("card {}", "CREDIT_CARD", ("3782", "822463", "10005")),
    ("IBAN {}", "IBAN_CODE", ("DE89", "3704", "0044", "0532", "0130", "00")),
    ("Aadhaar {}", "IN_AADHAAR", ("2341", "2341", "2346")),
    ("CPF {}", "BR_CPF", ("390", "533", "447", "05")),
    ("Steuer-ID {}", "DE_TAX_ID", ("36", "574", "261", "809")),
    ("NHS {}", "UK_NHS", ("943", "476", "5919")),
    ("SIN {}", "CA_SIN", ("123", "456", "782")),
    ("RRN {}", "KR_RRN", ("850101", "1234566")),
    ("NI number {}", "UK_NINO", ("AB", "12", "34", "56", "C")),
)
DISGUISED = (
    ("٤١١١ ١١١١ ١١١١ ١١١١", [(0, 19, "CREDIT_CARD")]),
    ("४१११ ११११ ११११ ११११", [(0, 19, "CREDIT_CARD")]),
    ("４１１１１１１１１１１１１１１１", [(0, 16, "CREDIT_CARD")]),
    ("𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏", [(0, 19, "CREDIT_CARD")]),
    ("4\ufe0f\u20e3111111111111111", [(0, 18, "CREDIT_CARD")]),
    ("4111\u200b1111\u200b1111\u200b1111", [(0, 19, "CREDIT_CARD")]),
    ("SSN \u202d512-34-5678\u202c.", [(5, 16, "US_SSN")]),
    ("🙂 ssn 512\u00ad-34-\u20605678", [(6, 19, "US_SSN")]),
    ("al\u200bice@example.com", [(0, 18, "EMAIL_ADDRESS")]),
    ("al\u00adice@exam\u00adple.com", [(0, 19, "EMAIL_ADDRESS")]),
    ("\u200fanna@example.org\u200f", [(1, 17, "EMAIL_ADDRESS")]),
    ("ａｎｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ", [(0, 16, "EMAIL_ADDRESS")]),
    ("𝐚𝐧𝐧𝐚@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐨𝐫𝐠", [(0, 16, "EMAIL_ADDRESS")]),
    ("anna@example.xn--p1ai", [(0, 21, "EMAIL_ADDRESS")]),
    ("anna@xn--e1afmkfd.xn--p1ai, bob", [(0, 26, "EMAIL_ADDRESS")]),
    ("anna%40example.org", [(0, 18, "EMAIL_ADDRESS")]),
    ("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", [(0, 16, "PHONE_NUMBER")]),
    ("call （02）9472-7916", [(5, 18, "PHONE_NUMBER")]),
    ("電話03ー1234ー5678", [(2, 14, "PHONE_NUMBER")]),
    ("https://ex\u200bample.com/a", [(0, 22, "URL")]),
    ("１９２．０．２．１", [(0, 9, "IP_ADDRESS")]),
    ("nif 12.345.678-Z", [(4, 16, "ES_NIF")]),
    ("AB 123456 C", [(0, 11, "UK_NINO")]),
)


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(("sentence", "label", "groups"), GROUPED)
def test_groups_may_have_any_usual_separator(
    sentence: str, label: str, groups: tuple[str, ...], separator: str
) -> None:
    number = separator.join(groups)
    assert values(sentence.format(number)) == [(label, number)]


@pytest.mark.parametrize(("text", "expected"), DISGUISED)
def test_spans_are_those_of_the_original(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert spans(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # columns and amounts, without a word that names them
        "512\t34\t5678\t90", "512  34  5678", "4500\t3000\t2500\t6000", "release 512.34.5678", "850101.1234566",
        "123.456.782", "2341\t2341\t2346",
        # a dash between words joins nothing
        "Anna—Lee", "2019 – 2020", "example—next",
    ],
)  # fmt: skip
def test_separators_alone_make_no_number(text: str) -> None:
    assert values(text) == []


def test_dashes_between_words_end_addresses() -> None:
    assert values("write to anna@example.org—thanks") == [("EMAIL_ADDRESS", "anna@example.org")]
    assert values("Lee–bob@example.org") == [("EMAIL_ADDRESS", "bob@example.org")]
    assert values("see https://example.com—next") == [("URL", "https://example.com")]


@pytest.mark.parametrize("text", ["", "plain ASCII, 512-34-5678", "naïve café", "日本語の文", "👩‍👩‍👧 ❤️ 🇩🇪", "שלום"])
def test_what_is_plain_already_is_read_as_it_is(text: str) -> None:
    read = plain(text)
    assert read.text is text
    assert read.places is None


@given(st.text(st.sampled_from("aZ4٤４.-—\u200b\u00ad\ufe0f \u3000＠%0@+2B（）日é🙂\u202e"), max_size=30))
def test_every_plain_character_is_placed_where_it_came_from(text: str) -> None:
    read = plain(text)
    places = list(range(len(text))) if read.places is None else read.places
    assert len(places) == len(read.text)
    assert places == sorted(set(places))
    assert all(0 <= place < len(text) for place in places)
    for sign, place in zip(read.text, places, strict=True):
        if sign.isalpha() and sign.isascii():
            assert text[place] == sign
    for start in range(len(read.text)):
        first, last = read.original(start, len(read.text))
        assert 0 <= first < last <= len(text)
