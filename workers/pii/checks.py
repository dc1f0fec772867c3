"""Checks that prove a number: those of python-stdnum, found by name, and a few that it lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address

from schemas.errors import ModelError
from workers.pii import crypto
from workers.pii.boundaries import compact

_CARD = re.compile(
    "4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    "|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"  # Mastercard
    "|3[47][0-9]{13}"  # American Express
    "|3(?:0[0-59]|[689][0-9])[0-9]{11,16}"  # Diners Club
    "|(?:6011|64[4-9][0-9]|65[0-9]{2}|62[0-9]{2}|35(?:2[89]|[3-8][0-9]))[0-9]{12,15}"  # Discover, UnionPay, JCB
)


@cache
def stdnum(name: str) -> Callable[[str], bool]:
    """Return ``is_valid`` of a module of python-stdnum, such as ``us.ssn``."""
    check: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return check


def require_libraries() -> None:
    """Raise ModelError if a library of the extra ``pii`` is not installed."""
    for library, package in (("stdnum", "python-stdnum"), ("phonenumbers", "phonenumbers")):
        if find_spec(library) is None:
            raise ModelError(f"{package} is not installed, which finds personal data: pip install 'glossator[pii]'")


def _digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def card(number: str) -> bool:
    """Whether it is a payment card of a known brand and length (ISO/IEC 7812) whose last digit is right (Luhn)."""
    return _CARD.fullmatch(digits := _digits(number)) is not None and stdnum("luhn")(digits)


def iban(number: str) -> bool:
    """Whether it is an IBAN of ISO 13616: its country's length and structure, and mod 97, but not the bank."""
    signs = compact(number)
    # Nearly everything that fails, fails here, ten times as fast.
    if int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 != 1:
        return False
    valid: bool = import_module("stdnum.iban").is_valid(signs, check_country=False)
    return valid


def us_ssn(number: str) -> bool:
    """Whether it has the structure of a US Social Security number that may have been issued."""
    return stdnum("us.ssn")(number.replace(" ", "-"))


def us_itin(number: str) -> bool:
    """Whether it has the structure of a US Individual Taxpayer Identification Number."""
    return stdnum("us.itin")(number.replace(" ", "-"))


def luhn(number: str) -> bool:
    """Whether the last of its digits is the Luhn check digit."""
    return stdnum("luhn")(_digits(number))


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
    total, letters = _NRIC[number[0]]
    total += sum(weight * int(digit) for weight, digit in zip((2, 7, 6, 5, 4, 3, 2), number[1:8], strict=True))
    return letters[total % 11] == number[8]


def au_medicare(number: str) -> bool:
    """Whether the ninth digit of an Australian Medicare number, which checks the first eight, is right."""
    digits = _digits(number)
    total = sum(weight * int(digit) for weight, digit in zip((1, 3, 7, 9) * 2, digits, strict=False))
    return total % 10 == int(digits[8])


def ip(address: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        return bool(ip_address(address))
    except ValueError:
        return False


def ipv6(address: str) -> bool:
    """Whether it is an IPv6 address; not ``a::b``, ``1::2`` and ``::``, which source code is full of."""
    groups = [group for group in address.split(":") if group]
    long = any(len(group) > 3 for group in groups) and any(map(str.isdigit, address))
    return ip(address) and (len(groups) > 2 or long or address == "::1")


def hexadecimal(number: str) -> bool:
    """Whether it contains a letter."""
    return any(map(str.isalpha, number))


def ethereum(address: str) -> bool:
    """Whether its mixed case is the checksum of EIP-55; an address in one case has none to check."""
    digits = address[2:]
    return digits not in (digits.lower(), digits.upper()) and crypto.mixed_case(address)


def email(address: str) -> bool:
    """Whether its host is valid: at most 255 characters (RFC 5321, 4.5.3.1), and no label ends with a hyphen."""
    host = address.rpartition("@")[2]
    return len(host) <= 255 and "-." not in host
