"""Recognisers of entities that belong to no country, phone numbers aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from workers.pii import checks, crypto
from workers.pii.finding import Finding, Pattern, Words

_HOST = r"(?:[^\W_][\w-]{0,62}\.){1,8}"
_PICTURES = "png|jpe?g|gif|svg|webp"
_TOPS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|xyz|online|site|shop|store|tech|cloud|blog|news|eu|de|uk|fr|nl|se|dk|"
    "fi|pl|ch|ru|jp|cn|br|au|ca|cz|hu|ie|pt|gr|tr|kr|tw|hk|sg|nz|za|mx|ar|cl"
)
"""What ends a host name without a scheme or www: common domains, less those that are words (it, in, is, me, no, so),
which are found wherever the space after a full stop is missing."""

_URL = re.compile(
    rf"(?<!\w)[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\s<>\"`{{}}|\\^]++"
    rf"|(?<![\w@.-])(?:[Ww]{{3}}\.{_HOST}[^\W\d_]{{2,24}}(?![\w-])"
    rf"|(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,5}}(?:(?:com|co|org|net|ac|gov|edu)\.[a-z]{{2}}|{_TOPS}))"
    r"(?![\w@]|[.-]\w)(?::[0-9]{1,5}(?![0-9]))?(?:[/?#][^\s<>\"`{}|\\^]*+)?"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}://)?+([^/?#]{1,1000}+)(?![^/?#])")
"""What names the host, at a length that urlsplit, which remembers what it has read, may keep."""
_CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True)
class Url:
    """URLs with a scheme, and host names with ``www.`` or a common top-level domain, with their paths."""

    name: str = "url"
    entity: str = "URL"
    digits: int = 0
    hint: re.Pattern[str] = re.compile(r"[:.](?://|[^\W\d_]{2})")
    context: Words | None = None
    against: Words | None = None

    def find(self, text: str) -> Iterator[Finding]:
        for match in _URL.finditer(text):
            found = _without_punctuation(match[0])
            if _has_host(found):
                score = 0.9 if "://" in found or found[:4].lower() == "www." else 0.6
                yield Finding(match.start(), match.start() + len(found), "URL", score, self.name, checked=True)


def _has_host(url: str) -> bool:
    try:
        return (match := _AUTHORITY.match(url)) is not None and bool(urlsplit(f"//{match[1]}").hostname)
    except ValueError:
        return False


def _without_punctuation(url: str) -> str:
    """The URL without what belongs to the sentence: final punctuation, and brackets that were not opened in it."""
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _CLOSING.items()}
    end = len(url)
    while end:
        last = url[end - 1]
        if last in _CLOSING:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif last not in ".,;:!?'*_~…”’»":
            break
        end -= 1
    return url[:end]


_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}"
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![\w:-])"
)
_HARDWARE = Words.of("mac, hardware address, physical address, ethernet")
_VERSIONS = Words.of("version, release, build, firmware, section, chapter, clause, v", before=2, after=0)

PATTERNS = (
    Pattern(
        "email",
        "EMAIL_ADDRESS",
        # After RFC 5321: a local part of at most 64 characters without two dots in a row, then a host with a domain.
        re.compile(
            r"(?<!\w)\w(?:[\w+%'&-]|\.(?![.@])){0,63}+@"
            rf"{_HOST}(?!(?:{_PICTURES})(?!\w))(?:[^\W\d_]{{2,24}}|xn--[A-Za-z0-9-]{{2,59}})(?!\w)"
        ),
        1.0,
        1.0,
        checks.email,
        hint=re.compile("@"),
    ),
    Pattern(
        "credit-card",
        "CREDIT_CARD",
        re.compile(
            r"(?<!\w)(?<![0-9][.,-])(?:[2-6][0-9]{12,18}"
            r"|[2-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
            r"|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})(?!\w)(?![.,-][0-9])"
        ),
        0.9,
        0.75,
        checks.card,
        digits=13,
        regroup=True,
        context=Words.of("credit, card, visa, mastercard, amex, american express, discover, jcb, diners, cc"),
    ),
    Pattern(
        "rare-card",
        "CREDIT_CARD",
        # Maestro's lengths and ranges, and the old cards of JCB, are so wide that a word must stand beside them.
        re.compile(
            r"(?<!\w)(?<![0-9][.,-])(?:(?:5[06-8]|6[0-9])[0-9]{10,17}|35[0-9]{14}|(?:1800|2131)[0-9]{11})(?!\w)(?![.,-][0-9])"
        ),
        0.35,
        0.35,
        checks.luhn,
        digits=12,
        context=Words.of("credit, card, maestro, jcb, cc"),
    ),
    Pattern(
        "iban",
        "IBAN_CODE",
        re.compile(
            r"(?<!\w)[A-Za-z]{2}[0-9]{2}"
            r"(?:[A-Za-z0-9]{11,30}|(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,3})?)(?!\w)"
        ),
        1.0,
        1.0,
        checks.iban,
        digits=2,
        regroup=True,
    ),
    Pattern(
        "bitcoin",
        "CRYPTO",
        re.compile(
            r"(?<!\w)(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc|tb)1[02-9ac-hj-np-z]{8,87}|(?:BC|TB)1[02-9AC-HJ-NP-Z]{8,87})(?!\w)"
        ),
        1.0,
        1.0,
        crypto.bitcoin,
        digits=1,
    ),
    Pattern(
        "ethereum",
        "CRYPTO",
        re.compile(r"(?<!\w)0x[0-9A-Fa-f]{40}(?!\w)"),
        0.95,
        0.95,
        checks.ethereum,
        digits=1,
        hint=re.compile("0x"),
    ),
    Pattern(
        "ethereum-one-case",
        "CRYPTO",
        re.compile(r"(?<!\w)0x(?:[0-9a-f]{40}|[0-9A-F]{40})(?!\w)"),
        0.6,
        0.6,
        digits=1,
        hint=re.compile("0x"),
        context=Words.of("ethereum, eth, wallet, crypto, address"),
    ),
    Pattern(
        "ipv4",
        "IP_ADDRESS",
        re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])"),
        0.75,
        0.75,
        checks.ip,
        digits=4,
        hint=re.compile(r"\.[0-9]{1,3}\."),
        against=_VERSIONS,
        context=Words.of("ip, ipv4, address, host, server"),
    ),
    Pattern(
        "ipv6",
        "IP_ADDRESS",
        re.compile(
            r"(?<![\w:.])(?<!\w\[)(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{1,4})?(?![\w:]|\.[0-9])"
        ),
        0.85,
        0.85,
        checks.ipv6,
        hint=re.compile(":[0-9A-Fa-f]{0,4}:"),
        context=Words.of("ip, ipv6, address, host, server"),
    ),
    Pattern(
        "mac",
        "MAC_ADDRESS",
        _MAC,
        0.75,
        0.75,
        checks.hexadecimal,
        proves=False,
        hint=re.compile("[:.-][0-9A-Fa-f]{2,4}[:.-]"),
        context=_HARDWARE,
    ),
    # Six pairs of digits are as likely a draw of a lottery.
    Pattern(
        "mac-of-digits",
        "MAC_ADDRESS",
        _MAC,
        0.2,
        0.2,
        digits=2,
        hint=re.compile("[:.-][0-9A-Fa-f]{2,4}[:.-]"),
        context=_HARDWARE,
    ),
)
