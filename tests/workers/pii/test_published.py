"""The examples that the libraries we check with publish of every number and every country."""

from __future__ import annotations

import ast
import doctest
import importlib

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from workers.pii.national import ROWS
from workers.pii.recognizers import Recognizers

OURS = {
    "us_ssn": "us.ssn", "us_itin": "us.itin", "es_nif": "es.dni", "fi_hetu": "fi.hetu", "za_id": "za.idnr",
    "cn_ric": "cn.ric",
    **dict.fromkeys((
        "sg_nric", "au_medicare", "kr_frn", "de_kvnr", "de_lanr", "de_rvnr", "document", "kr_brn", "ng_nin", "ph_tin",
        "us_dea", "us_npi",
    )),
}  # fmt: skip
"""Checks that are not called as python-stdnum's are; it has none of those without a name."""
NOBODYS = {("IT_FISCAL_CODE", "00743110157"), ("KR_RRN", "971013-9019902")}
"""Valid numbers of a company, and of somebody born in 1897."""


def doctests() -> list[tuple[str, str, str, bool]]:
    """(entity, a word of its context, number, whether it is valid) for each ``validate`` in a module's docstring."""
    numbers = []
    for row in ROWS:
        module = OURS.get(row.check, row.check) if row.check else None
        if module is None:
            continue
        documented = importlib.import_module(f"stdnum.{module}").__doc__ or ""
        for example in doctest.DocTestParser().get_examples(documented):
            call = ast.parse(example.source).body[0]
            if isinstance(call, ast.Expr) and isinstance(call.value, ast.Call):
                name, first = call.value.func, call.value.args[0]
                if isinstance(name, ast.Name) and name.id == "validate" and isinstance(first, ast.Constant):
                    numbers.append((row.entity, row.context.split(",")[0], str(first.value), example.exc_msg is None))
    return numbers


DOCTESTS = doctests()


def strings(recognizers: Recognizers, text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in recognizers.find(text) if finding.score >= 0.5]


def test_there_are_examples_of_both_kinds() -> None:
    assert sum(valid for *_, valid in DOCTESTS) > 30
    assert sum(not valid for *_, valid in DOCTESTS) > 30


def test_stdnums_doctests() -> None:
    for entity, word, number, valid in DOCTESTS:
        valid = valid and (entity, number) not in NOBODYS
        bare = number.removeprefix("CL ").removeprefix("HR ").removeprefix("PT ").removeprefix("UY ")
        assert strings(Recognizers([entity]), f"my {word} {number}") == [bare] * valid, (entity, number)


@pytest.mark.parametrize("number", ["x-2482300w", "rccmnl83s18d969h", "54362315k", "131052-308t", "s1234567d"])
def test_small_letters_are_read_where_a_checksum_proves_them(number: str) -> None:
    recognizers = Recognizers(["ES_NIE", "IT_FISCAL_CODE", "ES_NIF", "FI_PERSONAL_IDENTITY_CODE", "SG_NRIC_FIN"])
    assert strings(recognizers, f"it is {number}") == [number]
    # The long s and the sign for kelvin are an S and a K to a regular expression that ignores case.
    strange = number.replace("s", "\u017f").replace("k", "\u212a")
    assert strange == number or strings(recognizers, f"it is {strange}") == []
    assert strings(Recognizers(["UK_NINO"]), "it is ab123456c") == []


PHONES = [
    (region, phone)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    if (phone := phonenumbers.example_number_for_type(region, kind)) is not None
]


def test_example_numbers_of_every_region() -> None:
    """libphonenumber's, in the forms of ITU-T E.123 and E.164; without a country code where the region is named."""
    anywhere = Recognizers(["PHONE_NUMBER"])
    there = {region: Recognizers(["PHONE_NUMBER"], [region]) for region in {region for region, _ in PHONES}}
    assert len(there) > 240
    for region, phone in PHONES:
        for form in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164):
            number = phonenumbers.format_number(phone, form)
            assert strings(anywhere, f"It is {number}, thanks.") == [number]
        number = phonenumbers.format_number(phone, PhoneNumberFormat.NATIONAL)
        if sum(map(str.isdigit, number)) >= 7:
            assert number in strings(there[region], f"call {number} today")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        # RFC 3696, 3 (as corrected): valid, but of signs that stand between addresses more often than in them.
        ("customer/department=shipping@example.com", ["shipping@example.com"]),
        ("$A12345@example.com", ["A12345@example.com"]),
        ("!def!xyz%abc@example.com", ["xyz%abc@example.com"]),
        (r"Abc\@def@example.com", ["def@example.com"]),
        ('"Abc@def"@example.com', []),
        ('"Fred Bloggs"@example.com', []),
        # RFC 5321, 4.5.3.1.1: 64 octets, not 65
        ("a" * 64 + "@example.com", ["a" * 64 + "@example.com"]),
        ("a" * 65 + "@example.com", []),
        # RFC 5322, 3.2.3: no dot at the beginning or the end, nor two in a row
        (".a@example.com", ["a@example.com"]),
        ("a.@example.com", []),
        ("a..b@example.com", ["b@example.com"]),
        ("a@example", []),
        ("a@-example.com", []),
        ("a@example-.com", []),
        ("a@b@example.com", ["b@example.com"]),
    ],
)
def test_addresses_at_the_edge_of_the_specifications(address: str, found: list[str]) -> None:
    assert strings(Recognizers(["EMAIL_ADDRESS"]), f"to {address} today") == found


@pytest.mark.parametrize(
    "address",
    [
        # RFC 4291, 2.2: one "::" at most, eight groups of at most four
        "2001:db8:::1", "2001:db8::1::2", "1:2:3:4:5:6:7:8:9", "12345::abcd:1:2", "2001:db8::g", "1:2:3:4:5:6:7",
        "::ffff:192.0.2.300", "192.0.2.256", "192.0.2", "192.0.2.1.5", "192.0.2.01",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_machine(address: str) -> None:
    assert strings(Recognizers(["IP_ADDRESS"]), f"at {address} today") == []
