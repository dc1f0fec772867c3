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


def only_digits(number: str) -> str:
    """The digits of a number."""
    return re.sub("[^0-9]", "", number)


def card(number: str) -> bool:
    """Whether it is a payment card of a known brand and length (ISO/IEC 7812) whose last digit is right (Luhn)."""
    return _CARD.fullmatch(digits := only_digits(number)) is not None and stdnum("luhn")(digits)


def iban(number: str) -> bool:
    """Whether it is an IBAN of ISO 13616: its country's length and structure, and mod 97, but not the bank."""
    signs = compact(number)
    # Nearly everything that fails, fails here, ten times as fast.
    if int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 != 1:
        return False
    valid: bool = import_module("stdnum.iban").is_valid(signs, check_country=False)
    return valid


def luhn(number: str) -> bool:
    """Whether the last of its digits is the Luhn check digit."""
    return stdnum("luhn")(only_digits(number))


def ip(address: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, which may have a zone (RFC 4007) and the length of a prefix."""
    try:
        return bool(ip_address(address.partition("/")[0]))
    except ValueError:
        return False


def ipv4(address: str) -> bool:
    """Whether it is an IPv4 address that a machine can have: not ``0.0.0.0`` and no mask (``255.255.255.0``)."""
    return ip(address) and not address.startswith("255.") and int(ip_address(address.partition("/")[0])) > 0


def ipv6(address: str) -> bool:
    """Whether it is an IPv6 address; not ``a::b``, ``1::2`` and ``::``, which source code is full of."""
    host = re.split("[%/]", address, maxsplit=1)[0]
    groups = [group for group in host.split(":") if group]
    long = any(len(group) > 3 for group in groups) and any(map(str.isdigit, host))
    return ip(address) and (len(groups) > 2 or long or host == "::1" or (host == "::" and address != host))


def hexadecimal(number: str) -> bool:
    """Whether it contains a letter, and is not the address of all machines, FF-FF-FF-FF-FF-FF."""
    return any(map(str.isalpha, number)) and not {*number.upper()} <= {*"F:-."}


def not_zero(number: str) -> bool:
    """Whether it has a digit other than 0: 00-00-00-00-00-00 is the address of no machine."""
    return any(digit in number for digit in "123456789")


def ethereum(address: str) -> bool:
    """Whether its mixed case is the checksum of EIP-55; an address in one case has none to check."""
    digits = address[2:]
    return digits not in (digits.lower(), digits.upper()) and crypto.mixed_case(address)


def email(address: str) -> bool:
    """Whether its host is valid: at most 255 characters (RFC 5321, 4.5.3.1), and no label ends with a hyphen."""
    host = address.rpartition("@")[2]
    return len(host) <= 255 and "-." not in host
