"""Recognisers of entities that belong to no country, except those of the Internet's names and phone numbers."""

from __future__ import annotations

import re

from workers.pii import checks, crypto
from workers.pii.boundaries import ALONE_AFTER, ALONE_BEFORE, JOINING, LONG_RUN, SEPARATOR
from workers.pii.finding import Pattern, Words

_MAC = re.compile(
    # A label may come before it (mac:00:11:...), but not one more pair or group.
    rf"[0-9A-Fa-f](?<!{JOINING}.)(?<!(?<!{JOINING})[0-9A-Fa-f]{{2}}[:-].)(?<![0-9A-Fa-f]{{4}}\..)"
    r"(?:[0-9A-Fa-f]([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}"
    r"|[0-9A-Fa-f]{3}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})"
    rf"{ALONE_AFTER}(?![:-][0-9A-Fa-f]|\.[0-9A-Fa-f]{{4}}{ALONE_AFTER})"
)
_SAME_SEPARATOR = r"(?:(?P=sep)|[ \t]?\r?\n[ \t]{0,4})"
"""What is between the groups of a card number, which may be broken over lines."""
_PAIRS = re.compile("[:.-][0-9A-Fa-f]{2,4}[:.-]")
_HARDWARE = Words.of("mac, hardware address, physical address, ethernet")
_VERSIONS = Words.of(
    "version, release, build, firmware, section, chapter, clause, v, plugin, module, package, driver, patch, jar",
    before=2,
    after=0,
)

PATTERNS = (
    Pattern(
        "credit-card",
        "CREDIT_CARD",
        re.compile(
            r"[2-6](?<![0-9].)(?:[0-9]{12,18}"
            rf"|[0-9]{{3}}(?P<sep>{SEPARATOR}|[/_\u00b7]| - )"
            rf"(?:[0-9]{{4}}{_SAME_SEPARATOR}[0-9]{{4}}{_SAME_SEPARATOR}[0-9]{{4}}(?:(?P=sep)[0-9]{{1,3}})?"
            r"|[0-9]{6}(?P=sep)[0-9]{4,5}))(?![0-9])"
        ),
        0.9,
        0.75,
        checks.card,
        digits=13,
        regroup=True,
        bounded=False,
        loose=0.4,
        context=Words.of(
            "credit, card, visa, mastercard, amex, american express, discover, jcb, diners, cc, karte, kreditkarte, "
            "kartennummer, carte, tarjeta, carta, cartão, kaart, creditcard, karta, karty, kort, kortti, kart"
        ),
    ),
    Pattern(
        "rare-card",
        "CREDIT_CARD",
        # Maestro's lengths and ranges, and those of UATP, Mir, RuPay, Troy and of the old cards of JCB are so wide, or
        # the cards so rare, that a word must be near them.
        re.compile(
            "[1-35689](?<![0-9].)(?:(?:(?<=5)[06-8]|(?<=6)[0-9])[0-9]{10,17}|(?<=3)5[0-9]{14}"
            "|(?:(?<=1)800|(?<=2)131)[0-9]{11}|(?<=1)[0-9]{14}"
            "|(?<=2)20[0-4][0-9]{12}|(?:(?<=8)[12][0-9]|(?<=9)792)[0-9]{12}[0-9]?)(?![0-9])"
        ),
        0.35,
        0.35,
        checks.luhn,
        digits=12,
        bounded=False,
        context=Words.of("credit, card, maestro, jcb, cc, uatp, mir, rupay, troy"),
    ),
    Pattern(
        "bitcoin",
        "CRYPTO",
        re.compile(
            rf"[13btBT](?<!{JOINING}.)(?:(?<=[13])[1-9A-HJ-NP-Za-km-z]{{25,34}}|(?:(?<=b)c|(?<=t)b)1[02-9ac-hj-np-z]{{8,87}}"
            rf"|(?:(?<=B)C|(?<=T)B)1[02-9AC-HJ-NP-Z]{{8,87}}){ALONE_AFTER}"
        ),
        1.0,
        1.0,
        crypto.bitcoin,
        digits=1,
        hint=LONG_RUN,
    ),
    Pattern(
        "other-coins",
        "CRYPTO",
        re.compile(
            rf"[LMDA9X7Trla](?<!{JOINING}.)(?:(?<=[LMDA9X7Tr])[1-9A-HJ-NP-Za-km-z]{{24,34}}"
            r"|(?<=l)tc1[02-9ac-hj-np-z]{39,59}|(?<=L)TC1[02-9AC-HJ-NP-Z]{39,59}"
            rf"|(?<=a)ddr1[02-9ac-hj-np-z]{{50,100}}){ALONE_AFTER}"
        ),
        1.0,
        1.0,
        crypto.other_coin,
        digits=1,
        hint=LONG_RUN,
    ),
    Pattern(
        "ethereum",
        "CRYPTO",
        re.compile(f"{ALONE_BEFORE}0x[0-9A-Fa-f]{{40}}{ALONE_AFTER}"),
        0.95,
        0.95,
        checks.ethereum,
        digits=1,
        hint=re.compile("0x"),
    ),
    Pattern(
        "ethereum-one-case",
        "CRYPTO",
        re.compile(f"{ALONE_BEFORE}0x(?:[0-9a-f]{{40}}|[0-9A-F]{{40}}){ALONE_AFTER}"),
        0.6,
        0.6,
        digits=1,
        hint=re.compile("0x"),
        context=Words.of("ethereum, eth, wallet, crypto, address"),
    ),
    Pattern(
        "ipv4",
        "IP_ADDRESS",
        re.compile(
            r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]|\.[0-9])(?:/(?:3[0-2]|[12]?[0-9])(?![0-9/]|\.[0-9]))?"
        ),
        0.75,
        0.75,
        checks.ipv4,
        digits=4,
        bounded=False,
        loose=0.3,
        hint=re.compile(r"\.[0-9]{1,3}\."),
        against=_VERSIONS,
        context=Words.of("ip, ipv4, address, host, server"),
    ),
    Pattern(
        "ipv6",
        "IP_ADDRESS",
        re.compile(
            rf"{ALONE_BEFORE}(?<![:.])(?<!{JOINING}\[)"
            r"(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{1,4})?"
            rf"{ALONE_AFTER}(?!:|\.[0-9])(?:%[A-Za-z][A-Za-z0-9._-]{{0,14}}(?<![._-])|%[0-9]{{1,4}})?"
            rf"(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])(?![0-9/]))?{ALONE_AFTER}"
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
        hint=_PAIRS,
        context=_HARDWARE,
    ),
    # Six pairs of digits are as likely a draw of a lottery.
    Pattern(
        "mac-of-digits",
        "MAC_ADDRESS",
        _MAC,
        0.2,
        0.2,
        checks.not_zero,
        digits=2,
        proves=False,
        hint=_PAIRS,
        context=_HARDWARE,
    ),
)
