"""Forms of numbers and addresses that are rarer than the published examples, and their neighbours that are none.

Numbers are invented; where there is a check digit it was computed.
"""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import RECOGNIZERS, values


def scores(text: str, entity: str) -> dict[str, float]:
    """Value -> score of every finding of ``entity``, however weak."""
    findings = [finding for finding in RECOGNIZERS.find(text) if finding.label == entity]
    return {text[finding.start : finding.end]: finding.score for finding in findings}


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        # RFC 4007, 11: zones; RFC 4632 and RFC 4291, 2.3: prefixes; RFC 3986, 3.2.2: brackets
        ("ping fe80::4d2:1%eth0 again", "IP_ADDRESS", "fe80::4d2:1%eth0"),
        ("ping fe80::4d2:1%12, again", "IP_ADDRESS", "fe80::4d2:1%12"),
        ("from fe80::4d2:1%wlan0.5.", "IP_ADDRESS", "fe80::4d2:1%wlan0.5"),
        ("route fe80::4d2:1%eth0/64 added", "IP_ADDRESS", "fe80::4d2:1%eth0/64"),
        ("route 198.51.100.0/24 added", "IP_ADDRESS", "198.51.100.0/24"),
        ("route 198.51.100.7/32.", "IP_ADDRESS", "198.51.100.7/32"),
        ("route 2001:db8:40::/48, added", "IP_ADDRESS", "2001:db8:40::/48"),
        ("default ::/0 via eth0", "IP_ADDRESS", "::/0"),
        ("loopback ::1/128", "IP_ADDRESS", "::1/128"),
        ("mapped ::ffff:198.51.100.0/120", "IP_ADDRESS", "::ffff:198.51.100.0/120"),
        ("to [2001:db8:40::7]:8443 now", "IP_ADDRESS", "2001:db8:40::7"),
        ("to [fe80::4d2:1%eth0]:22 now", "IP_ADDRESS", "fe80::4d2:1%eth0"),
        ("GET 198.51.100.7/index", "IP_ADDRESS", "198.51.100.7"),
        ("ip 198.51.100.7/33", "IP_ADDRESS", "198.51.100.7"),
        ("ip 198.51.100.7/24/5", "IP_ADDRESS", "198.51.100.7"),
        ("address 2001:db8:40::7/129", "IP_ADDRESS", "2001:db8:40::7"),
        # UATP, Mir, RuPay, Troy
        ("card 135412345678903", "CREDIT_CARD", "135412345678903"),
        ("card 2203123456789016", "CREDIT_CARD", "2203123456789016"),
        ("my rupay card 8171234567890125", "CREDIT_CARD", "8171234567890125"),
        ("troy 9792123456789018", "CREDIT_CARD", "9792123456789018"),
        ("routing 1110-0002-5", "ABA_ROUTING_NUMBER", "1110-0002-5"),
        ("my ITIN is 951-57-4321", "US_ITIN", "951-57-4321"),
        ("ITIN 951-65-4321", "US_ITIN", "951-65-4321"),
        ("mi DNI es 2345678T", "ES_NIF", "2345678T"),
        ("DNI 2345678-T", "ES_NIF", "2345678-T"),
        ("hetu 150788-912E", "FI_PERSONAL_IDENTITY_CODE", "150788-912E"),
        ("hetu 241299Y934U", "FI_PERSONAL_IDENTITY_CODE", "241299Y934U"),
        ("personnummer 18930514-2383", "SE_PERSONNUMMER", "18930514-2383"),
        ("personnummer 189305142383", "SE_PERSONNUMMER", "189305142383"),
        ("id number 8802294123089", "ZA_ID_NUMBER", "8802294123089"),
        ("id number 8802294123188", "ZA_ID_NUMBER", "8802294123188"),
        ("id number 8802294123287", "ZA_ID_NUMBER", "8802294123287"),
        ("주민등록번호 910823-1234561", "KR_RRN", "910823-1234561"),
        ("외국인등록번호 910823-6123456", "KR_FRN", "910823-6123456"),
        ("FRN 910823-6123450", "KR_FRN", "910823-6123450"),
        ("nino AB 123456 C", "UK_NINO", "AB 123456 C"),
    ],
)
def test_rarer_forms_are_found(text: str, entity: str, value: str) -> None:
    assert (entity, value) in values(text)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("std::vector, a::b, :: and fe80::g", "IP_ADDRESS"),
        ("card 135412345678904", "CREDIT_CARD"),
        ("card 2205123456789012", "CREDIT_CARD"),
        ("routing 1110-0002-6", "ABA_ROUTING_NUMBER"),
        ("routing 111-000-025", "ABA_ROUTING_NUMBER"),
        ("ITIN 951-66-4321", "US_ITIN"),
        ("ITIN 951-69-4321", "US_ITIN"),
        ("ITIN 951-93-4321", "US_ITIN"),
        ("DNI 2345678S", "ES_NIF"),
        ("hetu 150788-912F", "FI_PERSONAL_IDENTITY_CODE"),
        ("hetu 320788-912E", "FI_PERSONAL_IDENTITY_CODE"),
        ("personnummer 18930514-2384", "SE_PERSONNUMMER"),
        ("personnummer 17930514-2383", "SE_PERSONNUMMER"),
        ("id number 8802304123089", "ZA_ID_NUMBER"),
        ("id number 8802294123288", "ZA_ID_NUMBER"),
        ("id number 8802294123386", "ZA_ID_NUMBER"),
        ("RRN 911323-1234560", "KR_RRN"),
        ("RRN 910832-1234560", "KR_RRN"),
        ("RRN 910823-6123456", "KR_RRN"),
        ("FRN 910823-1234561", "KR_FRN"),
        ("FRN 910823+6123456", "KR_FRN"),
    ],
)
def test_their_neighbours_are_not(text: str, entity: str) -> None:
    assert scores(text, entity) == {}


@pytest.mark.parametrize(
    ("number", "entity"),
    [
        ("910823-1234561", "KR_RRN"), ("9108231234561", "KR_RRN"), ("9108236123450", "KR_FRN"), ("2345678T", "ES_NIF"),
        ("135412345678903", "CREDIT_CARD"), ("1110-0002-5", "ABA_ROUTING_NUMBER"),
    ],
)  # fmt: skip
def test_weak_forms_need_a_word_near_them(number: str, entity: str) -> None:
    ((value, score),) = scores(f"it is {number} there", entity).items()
    assert value == number
    assert score < 0.5
