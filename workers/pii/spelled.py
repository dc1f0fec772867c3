"""E-mail addresses that are written to be read by people only: ``ann (at) example (dot) org``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.pii.finding import Finding, Words

_CONTEXT = Words.of(
    "mail, email, e mail, mails, address, contact, write, reach, adresse, addresse, schreib, schreiben, schreibt, "
    "mailadresse, correo, courriel, adres, indirizzo, direccion, dirección, kontakt, contacto, contatto"
)
_DOT_IN_BRACKETS = r"[ ]?[\[({<] ?(?:(?i:dot|punkt|point|punto|kropka|punt|ponto)|\.) ?[\])}>][ ]?"
_DOT_IN_WORDS = " (?:dot|DOT|Dot|punkt|punto) "
_AT = re.compile(
    r"[ ]?[\[({<] ?(?i:at|@|ät|arroba|chiocciola|arobase|małpa|apenstaartje) ?[\])}>][ ]?"
    r"|(?<=\w) (?:at|AT|ät) (?=[A-Za-z0-9])"
)
_TOP = (
    "com|org|net|edu|gov|info|biz|io|dev|app|eu|de|at|ch|uk|fr|nl|be|lu|ie|es|it|pt|se|dk|no|fi|is|pl|cz|sk|hu|ro|bg|gr"
    "|hr|si|ee|lv|lt|tr|ru|ua|us|ca|mx|br|ar|cl|co|au|nz|za|in|jp|cn|kr|tw|hk|sg|me|tv"
)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.|{_DOT_IN_BRACKETS}|{_DOT_IN_WORDS})){{1,4}}(?i:{_TOP})(?![\w-]|\.[A-Za-z0-9]|@)")
_LOCAL = re.compile(
    rf"(?<![\w.@/-])[A-Za-z0-9_][\w+-]{{0,40}}(?:(?:\.|{_DOT_IN_BRACKETS}|{_DOT_IN_WORDS})[\w+-]{{1,40}}){{0,3}}\Z"
)
_REACH = 80
"""Characters of the longest local part."""
_PROVIDERS = re.compile(
    "(?i:gmail|googlemail|hotmail|outlook|live|yahoo|ymail|icloud|aol|gmx|web|proton|protonmail|posteo|mailbox|t-online"
    r"|freenet|orange|wanadoo|laposte|libero|virgilio|telenet|ziggo|kpnmail|onet|wp|interia|seznam|mail|yandex)\b"
)
_MARKED = re.compile(r"[0-9_.]| (?i:dot|punkt|punto) |[\])]")
"""What is in a local part, and not in a word before "at": a digit, a point."""
_DOT = re.compile(f"{_DOT_IN_BRACKETS}|{_DOT_IN_WORDS}")
_WORDS = frozenset({
    "all", "am", "and", "are", "arrived", "available", "back", "based", "be", "been", "call", "down", "everyone",
    "find", "found", "he", "her", "here", "him", "is", "it", "live", "lives", "located", "look", "looked", "looking",
    "me", "meet", "meeting", "met", "not", "now", "online", "or", "page", "people", "sale", "she", "shop", "site",
    "sold", "staff", "stay", "staying", "store", "support", "team", "them", "there", "they", "up", "us", "was", "we",
    "were", "work", "worked", "working", "works", "you",
})  # fmt: skip
"""Words that are often before "at", and are no names of mailboxes."""
_NEARLY = re.compile(
    r"[\[({<] ?(?i:at|@|ät|arroba|chiocciola|arobase|małpa|apenstaartje) ?[\])}>]"
    r"| (?:at|AT|ät) [A-Za-z0-9-]{1,42}(?:\.[A-Za-z]|[ ]?[\[({<] ?(?i:d|p|\.)| (?i:dot|pun))"
)
"""An "at" with what may be a host behind it."""
_ATS = " at ", " AT ", " ät ", ")", "]", "}", ">"
"""One of them is in every such text; a search for them is faster than one for a pattern."""


@dataclass(frozen=True)
class SpelledEmail:
    """E-mail addresses with "at" or "dot" in words or brackets.

    With "at" in brackets they are sure. In plain words they need the name of a provider of mail and a name that is no
    word (``k.brooks at gmail dot com``), or a word such as "mail" near them.
    """

    name: str = "email-in-words"
    entity: str = "EMAIL_ADDRESS"
    digits: int = 0
    hint: re.Pattern[str] | None = None
    context: Words | None = _CONTEXT
    against: Words | None = None

    def find(self, text: str) -> Iterator[Finding]:
        """The addresses in ``text``, with offsets into it."""
        if not any(map(text.__contains__, _ATS)) or not _NEARLY.search(text):
            return
        free = 0
        for at in _AT.finditer(text):
            host = _HOST.match(text, at.end())
            local = host and _LOCAL.search(text[max(free, at.start() - _REACH) : at.start()])
            if not host or not local:
                continue
            score = _score(local[0], at[0], host[0])
            if score:
                start, free = at.start() - len(local[0]), host.end()
                yield Finding(start, free, self.entity, score, self.name, checked=True)


def _score(local: str, at: str, host: str) -> float:
    if not at.strip().isalpha():
        return 0.9
    if local.lower() in _WORDS:
        return 0.0
    spelled = _DOT.search(host) is not None
    if _PROVIDERS.match(host) and (_MARKED.search(local) or spelled):
        return 0.6
    return 0.3 if spelled or _MARKED.search(local) else 0.0
