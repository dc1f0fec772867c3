"""When two values are the same: names and addresses in any case, numbers with any separators.

Numbers within an event, hashes and surrogates are made of the canonical form of a value, so that equal values stay
equal. Encryption keeps the value as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from unicodedata import category, digit, normalize

from schemas.labels import PATTERNED

Canonical: TypeAlias = Callable[[str], str]

_NAMES = frozenset({
    "EMAIL_ADDRESS", "FAC", "GPE", "LOC", "LOCATION", "NORP", "NRP", "ORG", "ORGANIZATION", "PER", "PERSON",
    "STREET_ADDRESS",
})  # fmt: skip
"""Labels of values that people write in capitals or not as they like."""
_NUMBERS = frozenset(PATTERNED) - {"CRYPTO", "DATE_TIME", "EMAIL_ADDRESS", "IP_ADDRESS", "SECRET", "URL"}
"""Labels of numbers that people write with and without separators."""
_SEPARATOR = re.compile(r"[^\w+]|_")
_CAPITALS = bytes(range(128)).upper().ljust(256, b"\0")
_SEPARATORS = "".join(_SEPARATOR.findall(bytes(range(128)).decode())).encode()


def canonical_form(label: str) -> Canonical:
    """Return the function that makes the canonical form of values with ``label``; an empty one is a whole field.

    - Names and addresses: Unicode NFKC without invisible characters, in lower case (case folding), and single spaces.
    - Numbers, of cards, phones, passports ...: NFKC, letters, digits and "+" alone, in capitals.
    - All else, such as secrets, URLs and whole fields: the value itself.
    """
    if label in _NAMES:
        return _name
    return _number if label in _NUMBERS else str


def _name(value: str) -> str:
    if value.isascii():
        return " ".join(value.lower().split())
    visible = "".join(sign for sign in normalize("NFKC", value) if category(sign) != "Cf")
    return " ".join(normalize("NFKC", visible.casefold()).split())


def _number(value: str) -> str:
    if value.isascii():
        return value.encode().translate(_CAPITALS, _SEPARATORS).decode()
    value = normalize("NFKC", normalize("NFKC", value).upper())
    value = "".join(str(digit(sign, sign)) for sign in value)
    return _SEPARATOR.sub("", value)
