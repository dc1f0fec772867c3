"""Surrogates: the same everywhere, of nobody, and never the value."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, timedelta
from ipaddress import ip_address, ip_network

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import luhn

from schemas.errors import SettingError
from schemas.labels import SURROGATES
from schemas.pipeline.redaction import Redact
from stream.output.redaction import surrogates
from stream.output.redaction.canonical import canonical_form
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.operators import Operators
from stream.output.redaction.surrogates import Surrogates
from tests.stream.output.redaction.lib import KEYS, SECRET, one, replaced
from tests.thoroughness import examples

VALUES = {"DATE_TIME": "2024-05-03", "IP_ADDRESS": "10.1.2.3"}
ENGLISH, GERMAN = Surrogates(Key(SECRET), "en_US"), Surrogates(Key(SECRET), "de_DE")


def test_it_invents_what_the_pipeline_file_allows() -> None:
    assert set(SURROGATES) == ENGLISH.labels


PROGRAM = """
import json, sys
from schemas.labels import SURROGATES
from tests.stream.output.redaction.test_surrogates import GERMAN, VALUES
print(json.dumps([GERMAN.surrogate(label, VALUES.get(label, "some value")) for label in reversed(SURROGATES)][::-1]))
"""


def test_another_process_invents_the_same() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [GERMAN.surrogate(label, VALUES.get(label, "some value")) for label in SURROGATES]


def test_the_same_value_is_the_same_in_every_event_and_spelling() -> None:
    first = replaced("surrogate", "PERSON", "Anna Schmidt")
    assert first == replaced("surrogate", "PERSON", "ANNA  schmidt")
    assert first != replaced("surrogate", "PERSON", "Anna Schmitt")
    assert first != replaced("surrogate", "PERSON", "Anna Schmidt", Keys(Key(bytes(32))))
    assert replaced("surrogate", "PHONE_NUMBER", "+1 202 555 0143") == replaced(
        "surrogate", "PHONE_NUMBER", "+12025550143"
    )


def test_a_group_has_the_surrogate_of_its_first_value() -> None:
    operator, event = one("surrogate")
    mentions = [("Anna Schmidt", 3), ("Ms Schmidt", 3), ("ms schmidt", None), ("Tom", 4)]
    first, second, third, other = (event.replacement(operator, "PERSON", *mention) for mention in mentions)
    assert first == second == third == replaced("surrogate", "PERSON", "Anna Schmidt")
    assert other == replaced("surrogate", "PERSON", "Tom") != first


def test_one_word_has_one_word_and_no_name_a_title() -> None:
    assert re.fullmatch(r"\w+", replaced("surrogate", "PERSON", "Anna"))
    for number in range(200):
        assert re.fullmatch(r"[\w'-]+ [\w'-]+", ENGLISH.surrogate("PERSON", f"anna {number}"))


def test_what_has_no_surrogate_has_its_label() -> None:
    assert replaced("surrogate", "US_SSN", "078-05-1120") == "<US_SSN>"
    assert replaced("surrogate", "", "078-05-1120") == "<REDACTED>"
    for value in ("yesterday", "2024-13-45", "0001-01-01"):
        assert re.fullmatch(r"<DATE_TIME>|000\d-.*", replaced("surrogate", "DATE_TIME", value))


NUMBERS = [str(number) for number in range(40)]


def test_addresses_are_of_reserved_domains() -> None:
    for value in NUMBERS:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d{1,3}@example\.(com|net|org)", GERMAN.surrogate("EMAIL_ADDRESS", value))
        assert re.fullmatch(r"https://example\.(com|net|org)/[a-z]+/\d+", GERMAN.surrogate("URL", value))
    assert "@example." in ENGLISH.surrogate("EMAIL_ADDRESS", "anna@mail.example.com"), "the domain may be the same"


@pytest.mark.parametrize(
    ("locale", "pattern"),
    [
        ("en_US", r"\+1[2-9][0-8][2-9]55501\d\d"), ("en_CA", r"\+1[2-9][0-8][2-9]55501\d\d"),
        ("en_GB", r"\+447700900\d{3}"), ("de_DE", r"\+49(3023125|4066969|6990009|8999998|2214710)\d{3}"),
        ("fr_FR", r"\+33(19900|26191|35301|46571|53649|63998)\d{4}"),
    ],
)  # fmt: skip
def test_phone_numbers_are_for_fiction(locale: str, pattern: str) -> None:
    surrogates = Surrogates(Key(SECRET), locale)
    for value in NUMBERS:
        number = surrogates.surrogate("PHONE_NUMBER", value)
        parsed = phonenumbers.parse(number)
        assert re.fullmatch(pattern, phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
        assert phonenumbers.is_possible_number(parsed)


def test_numbers_with_checksums_pass_them_and_are_of_nobody() -> None:
    for value in NUMBERS:
        card = ENGLISH.surrogate("CREDIT_CARD", value)
        assert re.fullmatch(r"9999\d{12}", card)
        assert luhn.is_valid(card)
        account = ENGLISH.surrogate("IBAN_CODE", value)
        assert re.fullmatch(r"XX\d{22}", account)
        assert int(account[4:] + "3333" + account[2:4]) % 97 == 1


def test_addresses_of_machines_are_for_documentation() -> None:
    networks = [ip_network(name) for name in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    for value in NUMBERS:
        for written in (f"10.0.0.{value}", f"fe80::{value}"):
            address = ip_address(ENGLISH.surrogate("IP_ADDRESS", written))
            assert any(address in network for network in networks)
            assert address.version == (6 if ":" in written else 4)
        assert re.fullmatch(r"00:00:5E:00:53:[0-9A-F]{2}", ENGLISH.surrogate("MAC_ADDRESS", value))


@pytest.mark.parametrize(
    ("surrogates", "written", "pattern", "day"),
    [
        (ENGLISH, "2024-05-03T10:00", r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", date(2024, 5, 3)),
        (ENGLISH, "on 5/30/2024", r"(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d{4})", date(2024, 5, 30)),
        (GERMAN, "5/3/2024", r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})", date(2024, 3, 5)),
        (GERMAN, "٣.٥.٢٠٢٤", r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{4})", date(2024, 5, 3)),
    ],
)
def test_dates_are_moved_and_keep_their_style(surrogates: Surrogates, written: str, pattern: str, day: date) -> None:
    match = re.fullmatch(pattern, surrogates.surrogate("DATE_TIME", written))
    assert match
    moved = date(*(int(match[part]) for part in ("year", "month", "day")))
    assert 1 <= abs((moved - day).days) <= 182


def test_dates_are_moved_in_both_directions() -> None:
    days = [date(2024, 1, 1) + timedelta(number) for number in range(400)]
    moves = [(date.fromisoformat(ENGLISH.surrogate("DATE_TIME", str(day))) - day).days for day in days]
    assert (min(moves) < -170, max(moves) > 170, 0 in moves) == (True, True, False)
    assert max(map(abs, moves)) <= 182


def test_what_is_in_the_range_of_surrogates_gets_another_one() -> None:
    # There are so few that some would be their own surrogates.
    for value in (f"00005E0053{last:02X}" for last in range(256)):
        assert canonical_form("MAC_ADDRESS")(ENGLISH.surrogate("MAC_ADDRESS", value)) != value


@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SURROGATES), st.text(max_size=30))
def test_a_surrogate_is_never_the_value(label: str, value: str) -> None:
    invented = ENGLISH.surrogate(label, value)
    assert invented.casefold() != value.casefold()
    again = ENGLISH.surrogate(label, invented)
    assert again != invented or again == f"<{label}>"


@pytest.mark.parametrize("label", ["PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS", "EMAIL_ADDRESS"])
def test_a_surrogate_shares_no_four_characters_with_the_value(label: str) -> None:
    names = {ENGLISH.surrogate(label, f"value {number}") for number in range(60)}
    # The values are what the library likes to invent.
    for value in names:
        invented = ENGLISH.surrogate(label, value.casefold()).casefold().partition("@")[0]
        assert not any(value.casefold()[at : at + 4] in invented for at in range(len(value) - 3))


def test_each_label_has_its_locale() -> None:
    labels = {"PERSON": "surrogate", "LOCATION": {"surrogate": {"locale": "ja_JP"}}}
    redact = Redact.model_validate({"labels": labels})
    event = Operators(redact, KEYS).event()
    person, place = (event.replacement(redact.labels[label], label, "some value") for label in labels)
    assert person == ENGLISH.surrogate("PERSON", "some value")
    assert not place.isascii()


@pytest.mark.parametrize("locale", ["ja_JP", "hu_HU", "ar_EG", "ru_RU", "en", "zu_ZA"])
def test_other_locales_invent_everything(locale: str) -> None:
    surrogates = Surrogates(Key(SECRET), locale)
    for label in SURROGATES:
        assert not surrogates.surrogate(label, VALUES.get(label, "some value")).startswith("<")


def test_the_cache_is_bounded() -> None:
    surrogates = Surrogates(Key(SECRET), "en_US")
    for number in range(4200):
        surrogates.surrogate("CREDIT_CARD", str(number))
    assert surrogates._surrogate.cache_info().currsize == 4096


def test_what_is_missing_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="locale"):
        one({"surrogate": {"locale": "xx_XX"}})
    monkeypatch.setattr(surrogates, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=re.escape("pip install 'glossator[surrogate]'")):
        one("surrogate")
