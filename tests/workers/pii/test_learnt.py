"""What models find, tidied: numbers, titles before names, and addresses in one piece."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pii.fields import in_cells, without_field_names
from workers.pii.finding import Finding
from workers.pii.learnt import looks_right, trimmed, with_titles, with_whole_addresses

Marked = tuple[str, list[Finding]]


def marked(text: str) -> Marked:
    """Read ``[LABEL value]`` in ``text``; return the text without the marks, and the findings."""
    bare, findings, at = "", [], 0
    for mark in re.finditer(r"\[([A-Z_]+) ([^\]]*)\]", text):
        bare += text[at : mark.start()]
        findings.append(Finding(len(bare), len(bare) + len(mark[2]), mark[1], 0.9, "model", checked=False, learnt=True))
        bare, at = bare + mark[2], mark.end()
    return bare + text[at:], findings


def shown(text: str, findings: list[Finding]) -> str:
    out, at = "", 0
    for finding in findings:
        assert at <= finding.start < finding.end
        out += f"{text[at : finding.start]}[{finding.label} {text[finding.start : finding.end]}]"
        at = finding.end
    return out + text[at:]


@pytest.mark.parametrize(("before", "after"), [
    ("[PHONE_NUMBER 020 7946 0958 office]", "[PHONE_NUMBER 020 7946 0958] office"),
    ("[PHONE_NUMBER tel. +44 20 7946 0958,]", "tel. [PHONE_NUMBER +44 20 7946 0958],"),
    ("[PHONE_NUMBER (978)645-9740x11144] mobile", "[PHONE_NUMBER (978)645-9740x11144] mobile"),
    ("[PHONE_NUMBER 1-800-FLOWERS] now", "[PHONE_NUMBER 1-800-FLOWERS] now"),
    ("[PHONE_NUMBER 1800GO-FEDEX Office]", "[PHONE_NUMBER 1800GO-FEDEX] Office"),
    ("[PHONE_NUMBER the hotline]", "[PHONE_NUMBER the hotline]"),
    ("card [CREDIT_CARD #] 12", "card # 12"),
    ("[PERSON 7 of 9: ]", "[PERSON 7 of 9]: "),
])  # fmt: skip
def test_phone_numbers_lose_the_words_around_them(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, [kept for finding in findings if (kept := trimmed(finding, text))]) == after


@pytest.mark.parametrize(("before", "after"), [
    ("for [PERSON Dr. Ann Lee]", "for [TITLE Dr.] [PERSON Ann Lee]"),
    ("for Mrs. [PERSON Ann Lee]", "for [TITLE Mrs.] [PERSON Ann Lee]"),
    ("[PERSON Mr]. [PERSON Lee]?", "[TITLE Mr.] [PERSON Lee]?"),
    ("[PERSON Mr.] [PERSON Lee]?", "[TITLE Mr.] [PERSON Lee]?"),
    ("[TITLE Mr]. [PERSON Lee]?", "[TITLE Mr.] [PERSON Lee]?"),
    ("dr [PERSON lee] called", "[TITLE dr] [PERSON lee] called"),
    ("[ORGANIZATION Lee & Mr] [PERSON Poe]", "[ORGANIZATION Lee & Mr] [PERSON Poe]"),
    ("[PERSON Mr][PERSON . Lee]", "[TITLE Mr][PERSON . Lee]"),
    ("I miss [PERSON Ann], 20 ms [PERSON Poe]", "I miss [PERSON Ann], 20 ms [PERSON Poe]"),
    ("[PERSON Drew Mister], [PERSON Miriam Moe]", "[PERSON Drew Mister], [PERSON Miriam Moe]"),
    ("Ask [PERSON Ann]. Dr. No", "Ask [PERSON Ann]. Dr. No"),
])  # fmt: skip
def test_forms_of_address_are_titles(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_titles(findings, text)) == after


@pytest.mark.parametrize(("before", "after"), [
    ("[STREET_ADDRESS 1 Elm St], [LOCATION Leith] [ZIP_CODE EH6]", "[STREET_ADDRESS 1 Elm St, Leith EH6]"),
    ("[STREET_ADDRESS 1 Elm St]\n[LOCATION LEITH]\n [LOCATION UK]", "[STREET_ADDRESS 1 Elm St\nLEITH\n UK]"),
    ("[STREET_ADDRESS Flat 2] [STREET_ADDRESS 1 Elm St]", "[STREET_ADDRESS Flat 2 1 Elm St]"),
    ("[STREET_ADDRESS 1 Elm St] in [LOCATION Leith]", "[STREET_ADDRESS 1 Elm St] in [LOCATION Leith]"),
    ("[STREET_ADDRESS 1 Elm St]\n[STREET_ADDRESS 2 Elm St]", "[STREET_ADDRESS 1 Elm St]\n[STREET_ADDRESS 2 Elm St]"),
    ("[STREET_ADDRESS 1 Elm St]\n\n[LOCATION Leith]", "[STREET_ADDRESS 1 Elm St]\n\n[LOCATION Leith]"),
    ("[STREET_ADDRESS 1 Elm St, and 2 Elm St], UK", "[STREET_ADDRESS 1 Elm St], and [STREET_ADDRESS 2 Elm St], UK"),
    ("[STREET_ADDRESS 1 Elm St, Leith, and] ", "[STREET_ADDRESS 1 Elm St, Leith, and] "),
    ("[STREET_ADDRESS 1 Elm, and] [STREET_ADDRESS 2 Elm]", "[STREET_ADDRESS 1 Elm], and [STREET_ADDRESS 2 Elm]"),
    ("[STREET_ADDRESS 1 Elm St; 2 Elm St]", "[STREET_ADDRESS 1 Elm St]; [STREET_ADDRESS 2 Elm St]"),
    ("[STREET_ADDRESS corner of Elm St and High St]", "[STREET_ADDRESS corner of Elm St and High St]"),
    ("[STREET_ADDRESS 1 Elm St] [PHONE_NUMBER 04293]", "[STREET_ADDRESS 1 Elm St 04293]"),
    ("[STREET_ADDRESS 1 Elm St] [PHONE_NUMBER 555 042]", "[STREET_ADDRESS 1 Elm St] [PHONE_NUMBER 555 042]"),
    ("[STREET_ADDRESS 1 Elm St]\n[PHONE_NUMBER 04293]", "[STREET_ADDRESS 1 Elm St]\n[PHONE_NUMBER 04293]"),
    ("[LOCATION Leith], [LOCATION UK]", "[LOCATION Leith], [LOCATION UK]"),
    ("[STREET_ADDRESS 1 Elm St], [PERSON Ann]", "[STREET_ADDRESS 1 Elm St], [PERSON Ann]"),
])  # fmt: skip
def test_an_address_is_one_finding(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_whole_addresses(findings, text)) == after


def test_the_score_of_an_address_is_the_mean_of_its_parts() -> None:
    parts = [
        Finding(start, end, "STREET_ADDRESS", score, "model", checked=False, learnt=True)
        for start, end, score in ((0, 6, 0.6), (7, 9, 1.0))
    ]
    assert [finding.score for finding in with_whole_addresses(parts, "1 Elms 2B")] == [pytest.approx(0.7)]


def test_an_unsure_town_does_not_put_its_street_below_the_threshold() -> None:
    parts = [
        Finding(start, end, label, score, "model", checked=False, learnt=True)
        for start, end, label, score in ((0, 8, "STREET_ADDRESS", 0.95), (10, 25, "LOCATION", 0.55))
    ]
    assert [finding.score for finding in with_whole_addresses(parts, "1 Elm St, Wolverhampton UK")] == [0.95]


def test_long_white_space_takes_no_long_time() -> None:
    text = f"1 Elm St{' ' * 1_000_000}Leith"  # would take hours if each space were a place to begin at
    address = Finding(0, len(text), "STREET_ADDRESS", 0.9, "model", checked=False, learnt=True)
    assert with_whole_addresses([address], text) == [address]


PIECES = st.sampled_from(
    ["Mr", ".", " and ", ", ", "; ", " ", "Dr. ", "Ann", ",", "\n", "12", "Elm", "(", "x", ". Lee"]
)
LABELS = st.sampled_from(["PERSON", "TITLE", "STREET_ADDRESS", "LOCATION", "ZIP_CODE", "PHONE_NUMBER"])


@given(st.lists(st.tuples(PIECES, st.none() | LABELS), max_size=12))
def test_findings_stay_in_order_and_within_the_text(pieces: list[tuple[str, str | None]]) -> None:
    text, findings = "", []
    for piece, label in pieces:
        if label is not None:
            start, end = len(text), len(text) + len(piece)
            findings.append(Finding(start, end, label, 0.9, "model", checked=False, learnt=True))
        text += piece
    kept = [tidy for finding in findings if (tidy := trimmed(finding, text))]
    for result in (with_titles(kept, text), with_whole_addresses(with_titles(kept, text), text)):
        shown(text, result)
        assert not result or result[-1].end <= len(text)


@pytest.mark.parametrize(("text", "right"), [
    ("[CREDIT_CARD 4111 1111 1111 1111]", True), ("ISBN [CREDIT_CARD 9783161484101]", False),
    ("[CREDIT_CARD 20240302112233456 20240302112233457]", False),
    ("[PHONE_NUMBER 020 7946 0958]", True), ("[PHONE_NUMBER 10 20 30 40 50 60 70 80]", False),
    ("[PHONE_NUMBER 1 234 567],89 EUR", False), ("33.[PHONE_NUMBER 456789]+01", False),
    ("[IP_ADDRESS 192.0.2.1]", True), ("[IP_ADDRESS 255.255.255.0]", False), ("[IP_ADDRESS 0.0.0.0]", False),
])  # fmt: skip
def test_a_number_must_be_able_to_be_what_its_label_says(text: str, right: bool) -> None:
    bare, (finding,) = marked(text)
    assert looks_right(finding, bare) == right


@pytest.mark.parametrize("text", [
    "[STREET_ADDRESS DNI ]12345678Z", "[PERSON Saludos],", "[PERSON Groeten\n]Sanne", "[PERSON geboren]: 1969",
    "[STREET_ADDRESS NIR, ]1",
])  # fmt: skip
def test_greetings_and_names_of_fields_are_dropped(text: str) -> None:
    bare, (finding,) = marked(text)
    assert without_field_names(finding, bare) is None


@pytest.mark.parametrize(("before", "after"), [
    ("[STREET_ADDRESS 1 Elm St;75007];Paris", "[STREET_ADDRESS 1 Elm St];[STREET_ADDRESS 75007];Paris"),
    ("[PERSON Ann\tPoe]", "[PERSON Ann]\t[PERSON Poe]"),
    ('[PERSON "Ann","Poe"]', '[PERSON "Ann]","[PERSON Poe"]'),
    ("[STREET_ADDRESS ;1 Elm St|]", ";[STREET_ADDRESS 1 Elm St]|"),
    ("[STREET_ADDRESS 1 Elm St; Paris, 2 Oak St]", "[STREET_ADDRESS 1 Elm St; Paris, 2 Oak St]"),
])  # fmt: skip
def test_no_finding_goes_over_the_border_of_a_cell(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, in_cells(findings, text)) == after
