"""Checks of national numbers that python-stdnum lacks, or has for fewer numbers than are given out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module

from workers.pii.checks import luhn, only_digits, stdnum


def _weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of the products of the first digits with their weights."""
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


def us_ssn(number: str) -> bool:
    """Whether it has the structure of a US Social Security number that may have been issued."""
    return stdnum("us.ssn")(number.replace(" ", "-"))


_ITIN = re.compile("9[0-9]{2}(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])[0-9]{4}")


def us_itin(number: str) -> bool:
    """Whether it has the structure of a US Individual Taxpayer Identification Number.

    The two digits in the middle are those that the IRS gives out, with 50 to 65, which
    python-stdnum lacks.
    """
    return _ITIN.fullmatch(only_digits(number)) is not None


def es_nif(number: str) -> bool:
    """Whether the letter of a Spanish DNI is right; the first zeros of the number may be missing."""
    return stdnum("es.dni")(number.zfill(9))


def fi_hetu(number: str) -> bool:
    """Whether it is a Finnish personal identity code, or a temporary one, which hospitals and registers give out."""
    valid: bool = import_module("stdnum.fi.hetu").is_valid(number, allow_temporary=True)
    return valid


def za_id(number: str) -> bool:
    """Whether it is a South African identity number of a citizen, a permanent resident or a refugee."""
    try:
        import_module("stdnum.za.idnr").get_birth_date(number)
    except ValueError:
        return False
    return number[10] in "012" and luhn(number)


def cn_ric(number: str) -> bool:
    """Whether the last sign of a Chinese resident identity number is right (GB 11643, ISO 7064 MOD 11-2).

    python-stdnum's check fails on a county that it does not know.
    """
    return stdnum("iso7064.mod_11_2")(number)


def kr_frn(number: str) -> bool:
    """Whether the last digit of a South Korean foreigner registration number is right."""
    return (13 - _weighted(number, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(number[12])


_NRIC = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "XWUTRQPNJLK"),
}


def sg_nric(number: str) -> bool:
    """Whether the last letter of a Singapore NRIC or FIN is right.

    The authority does not publish the rule; this is the one that Ngiam Shih Tung worked out (NRIC checksum, 2003), with
    the series M of 2022 as the government's FormSG checks it.
    """
    offset, letters = _NRIC[number[0]]
    return letters[(offset + _weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2))) % 11] == number[8]


def au_medicare(number: str) -> bool:
    """Whether the ninth digit of an Australian Medicare number, which checks the first eight, is right."""
    digits = only_digits(number)
    return _weighted(digits, (1, 3, 7, 9) * 2) % 10 == int(digits[8])


def kr_brn(number: str) -> bool:
    """Whether the last digit of a South Korean business registration number is right."""
    total = _weighted(number, (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(number[8]) * 5 // 10
    return stdnum("kr.brn")(number) and -total % 10 == int(number[9])


def us_npi(number: str) -> bool:
    """Whether the last digit of a US National Provider Identifier is right (Luhn, with the prefix 80840)."""
    return luhn(f"80840{number}")


def us_dea(number: str) -> bool:
    """Whether the last digit of a registration number of the US Drug Enforcement Administration is right."""
    return _weighted(number[2:8], (1, 2, 1, 2, 1, 2)) % 10 == int(number[8])


def ng_nin(number: str) -> bool:
    """Whether the last digit of a Nigerian National Identification Number is right (Verhoeff)."""
    return stdnum("verhoeff")(number)


def ph_tin(number: str) -> bool:
    """Whether the ninth digit of a Philippine Taxpayer Identification Number is right; the branch is not checked."""
    return _weighted(number[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(number[8]) and number[:9] != "0" * 9


def document(number: str) -> bool:
    """Whether the last digit of the number of a travel document is right (ICAO Doc 9303, part 3, 4.9)."""
    values = [int(sign, 36) for sign in number[:-1]]
    return sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10 == int(number[-1])


def _cross_sums(number: str, letter: int, weights: Sequence[int]) -> int:
    """The sum of the digits of the weighted digits before the last; the letter counts as its place in the alphabet."""
    digits = f"{number[:letter]}{ord(number[letter]) - 64:02}{number[letter + 1 : -1]}"
    return sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, weights, strict=True))


def de_kvnr(number: str) -> bool:
    """Whether the last digit of a German health insurance number is right (section 290 SGB V)."""
    return _cross_sums(number, 0, (1, 2) * 5) % 10 == int(number[-1])


def de_rvnr(number: str) -> bool:
    """Whether the last digit of a German pension insurance number is right (section 4 VKVV)."""
    return _cross_sums(number, 8, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(number[-1])


def de_lanr(number: str) -> bool:
    """Whether the seventh digit of a German physician's number, which checks the first six, is right."""
    return -_weighted(number, (4, 9) * 3) % 10 == int(number[6])
