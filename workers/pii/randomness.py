"""Whether a value looks random, as secrets do, or like an example or a placeholder."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

_RANDOM_BITS = 3.2
"""Bits per character, from the frequencies of characters; words have fewer."""
_EXAMPLE = re.compile(r"[$%]\{|\$\(|[*.x]{4}|^[$%<]|(?i:example|changeme|your|placeholder|redacted|process\.env)")


def entropy(value: str) -> float:
    """The entropy of ``value`` in bits per character, as its characters are distributed."""
    return -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())


def is_placeholder(value: str) -> bool:
    """Whether ``value`` is a variable (``${PASSWORD}``), a masked secret (``xxxx``) or an obvious example."""
    return _EXAMPLE.search(value) is not None


def is_random(value: str) -> bool:
    """Whether ``value``, not empty, has letters, digits and much entropy, and is no placeholder."""
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    # Short ones cannot reach the bits of long ones: 2.7 are enough for 8 characters.
    return mixed and entropy(value) >= min(_RANDOM_BITS, log2(len(value)) - 0.3) and not is_placeholder(value)
