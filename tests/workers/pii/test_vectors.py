from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.pii.vectors import CHECKED, OTHERS
from workers.pii.national import ROWS
from workers.pii.overlaps import resolve
from workers.pii.recognizers import Recognizers, known_entities

ALL = [(entity, sentence, value) for entity, (sentence, values) in {**CHECKED, **OTHERS}.items() for value in values]
LONGEST_CARD = "6205 5000 0000 0000 004"
RECOGNIZERS = Recognizers(known_entities())
# Astral, combining, zero-width joined, right to left: each is several code units or bytes, or moves what follows.
BEFORE = st.text(st.sampled_from("🙂👩‍👩‍👧é̂ößअनुשלום \n"), max_size=12).map(lambda text: f"{text} ")


def strings(text: str, entity: str, least: float = 0.5) -> list[str]:
    findings = [finding for finding in RECOGNIZERS.find(text) if finding.label == entity and finding.score >= least]
    return [text[finding.start : finding.end] for finding in resolve(findings)]


def test_every_entity_has_an_example() -> None:
    assert {*CHECKED, *OTHERS} == set(known_entities())


@pytest.mark.parametrize("entity", [*CHECKED, *OTHERS])
def test_published_examples_are_found(entity: str) -> None:
    sentence, values = {**CHECKED, **OTHERS}[entity]
    for value in values:
        assert strings(sentence.format(value), entity) == [value]


@given(st.sampled_from(ALL), BEFORE, st.text(st.sampled_from("🙂é̂ "), max_size=5))
def test_offsets_count_code_points_whatever_stands_around(
    example: tuple[str, str, str], before: str, after: str
) -> None:
    entity, sentence, value = example
    assert strings(f"{before}{sentence.format(value)} {after}", entity) == [value]


@pytest.mark.parametrize("entity", CHECKED)
def test_a_number_is_proved_and_one_wrong_digit_is_not_found(entity: str) -> None:
    recognizers = Recognizers([entity])
    sentence, values = CHECKED[entity]
    for value in values:
        (right,) = recognizers.find(sentence.format(value))
        assert right.checked
        for wrong in one_digit_off(value):
            text = sentence.format(wrong)
            strings_found = [text[finding.start : finding.end] for finding in recognizers.find(text)]
            # The first four groups of the longest are a card by chance, and three digits behind a card may be its code.
            assert strings_found == [] or (value == LONGEST_CARD and wrong not in strings_found)


def one_digit_off(value: str) -> Iterator[str]:
    for at, sign in enumerate(value):
        if sign in "0123456789":
            yield from (value[:at] + other + value[at + 1 :] for other in "0123456789" if other != sign)


def luhn(digits: str) -> str:
    """The digit that ISO/IEC 7812-1, annex B, puts behind them."""
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def mod_97(country: str, account: str) -> str:
    """The two check digits of ISO 13616 for an account of digits."""
    letters = "".join(str(ord(letter) - 55) for letter in country)
    return f"{98 - int(f'{account}{letters}00') % 97:02}"


@given(st.from_regex(r"(?:4|5[1-5])[0-9]{13,14}", fullmatch=True), st.data())
def test_any_card_is_found_unless_one_digit_is_wrong(digits: str, data: st.DataObject) -> None:
    card = (digits + "0")[:15]
    holds_or_not(card + luhn(card), 1, "CREDIT_CARD", data)


@given(st.from_regex("[0-9]{18}", fullmatch=True), st.data())
def test_any_iban_is_found_unless_one_digit_is_wrong(account: str, data: st.DataObject) -> None:
    holds_or_not(f"DE{mod_97('DE', account)}{account}", 2, "IBAN_CODE", data)


def holds_or_not(number: str, first: int, entity: str, data: st.DataObject) -> None:
    """``number`` is found; not so with one digit wrong, from the place ``first`` on."""
    assert strings(f"It is {number}", entity) == [number]
    at, by = data.draw(st.integers(first, len(number) - 1)), data.draw(st.integers(1, 9))
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert strings(f"It is {wrong}", entity, least=0.0) == []


@given(st.sampled_from(ROWS).flatmap(lambda row: st.from_regex(re.compile(row.regex, re.ASCII), fullmatch=True)))
def test_no_check_fails_on_what_its_pattern_lets_through(number: str) -> None:
    RECOGNIZERS.find(f"{number} is it")


@pytest.mark.parametrize("entity", ["US_SSN", "US_ITIN", "US_PASSPORT", "UK_NINO", "IN_PAN", "MAC_ADDRESS"])
def test_what_has_no_checksum_says_so(entity: str) -> None:
    sentence, values = OTHERS[entity]
    findings = [finding for finding in RECOGNIZERS.find(sentence.format(values[0])) if finding.label == entity]
    assert [finding.checked for finding in findings] == [False]


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        # SSA, "Social security numbers: the SSN numbering scheme": printed in wallets and pamphlets, or never issued.
        ("US_SSN", "SSN 078-05-1120"),
        ("US_SSN", "SSN 219-09-9999"),
        ("US_SSN", "SSN 000-12-3456"),
        ("US_SSN", "SSN 666-12-3456"),
        ("US_SSN", "SSN 900-12-3456"),
        ("US_SSN", "SSN 123-00-4567"),
        ("US_SSN", "SSN 123-45-0000"),
        ("UK_NINO", "NI number QQ 12 34 56 C"),  # HMRC's example of a number that cannot be
        ("UK_NINO", "NI number BG 12 34 56 C"),
        ("CREDIT_CARD", "card 9999 9999 9999 9995"),  # Luhn holds; no brand
        ("EMAIL_ADDRESS", "write to me@localhost or a..b@-x.com or icon@2x.png or @someone"),
        ("IP_ADDRESS", "192.0.2.256 1.2.3 1.2.3.4.5 a::b std::string 10:30:15 ::"),
        ("MAC_ADDRESS", "00-00-5E-00-53 00:00:5e-00-53-01 2024-01-15"),
        ("MAC_ADDRESS", "the MAC is 00:00:00:00:00:00 or ff:ff:ff:ff:ff:ff"),  # no machine, all machines
        ("KR_RRN", "RRN 971013-9019902, RRN 051102-9234110"),  # born in the 19th century
        ("TH_TNIN", "Thai national ID 1-9745-67890-12-4, 1284567890121"),  # no province has the code 97 or 28
        ("URL", f"http:// http://? https://[::1 x://{'a' * 1001}"),
        ("URL", "e.g. this.Then node.js and/or main.py 3.5 ... ok.Next"),
        # BIP-173 and BIP-350, invalid: mixed case; bech32 of version 1; bech32m of version 0
        ("CRYPTO", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7"),
        ("CRYPTO", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"),
        ("CRYPTO", "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqvt7ar3"),
    ],
)
def test_what_only_looks_like_one_is_not_found(entity: str, text: str) -> None:
    assert strings(text, entity, least=0.0) == []


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("IBAN GB29 NWBK 6016 1331 9268 19 AND MORE WORDS", "IBAN_CODE", "GB29 NWBK 6016 1331 9268 19"),
        ("NO93 8601 1117 947 DE89 3704 0044 0532 0130 00", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
        ("in20 four word GB29 NWBK 6016 1331 9268 19", "IBAN_CODE", "GB29 NWBK 6016 1331 9268 19"),
        ("4242 4242 4242 4242 123 is card and code", "CREDIT_CARD", "4242 4242 4242 4242"),
        ("2024 4242 4242 4242 4242", "CREDIT_CARD", "4242 4242 4242 4242"),
        ("4242 4242 4242 4242 12/26", "CREDIT_CARD", "4242 4242 4242 4242"),
        ("(see https://example.com/a_(b).)", "URL", "https://example.com/a_(b)"),
        ("<https://example.com>, ok", "URL", "https://example.com"),
        ("Is it example.com?", "URL", "example.com"),
        ("www.example.com/?to=http://", "URL", "www.example.com/?to=http://"),
        ("u='bob@example.com';", "EMAIL_ADDRESS", "bob@example.com"),
        ("so...bob@example.com.", "EMAIL_ADDRESS", "bob@example.com"),
        ("mailto:bob@example.com", "EMAIL_ADDRESS", "bob@example.com"),
        ("650-253-0000 202-456-1414 617-253-1000 212-736-3100", "PHONE_NUMBER", "617-253-1000"),
        ("tel:+12024561414;", "PHONE_NUMBER", "+12024561414"),
        ("TR33 0006 1005 197/ 6457 8413 26", "PHONE_NUMBER", "6457 8413 26"),
        ("at 650-253-0000 2pm", "PHONE_NUMBER", "650-253-0000"),
        ("fax 345-899-3560x4587", "PHONE_NUMBER", "345-899-3560x4587"),
        # spaces that do not break, en dashes, full-width digits
        ("card 4242\u00a04242\u202f4242\u00a04242", "CREDIT_CARD", "4242\u00a04242\u202f4242\u00a04242"),
        ("🙂 SSN 536\u201390\u20134399", "US_SSN", "536\u201390\u20134399"),
        ("電話：０３１２３４５６７８、phone", "PHONE_NUMBER", "０３１２３４５６７８"),
    ],
)
def test_neighbours_do_not_become_part_of_it(text: str, entity: str, value: str) -> None:
    assert value in strings(text, entity)
