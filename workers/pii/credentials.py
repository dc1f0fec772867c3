"""Passwords and tokens that headers of HTTP and the options of commands hand over."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from dataclasses import dataclass

from workers.pii.finding import Finding, Unaided
from workers.pii.randomness import is_placeholder, is_random

_END = r"""(?=["'`,;)\s\\]|\Z)"""
_BEARER = re.compile(
    rf"(?i:authorization|auth)[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?(?i:bearer|token|apikey|api-key)\s{{1,3}}"
    rf"([A-Za-z0-9+/_.~=-]{{12,400}}){_END}"
)
_BASIC = re.compile(rf"\b[Bb]asic\s{{1,3}}([A-Za-z0-9+/]{{8,200}}={{0,2}}){_END}")
_COOKIES = re.compile(r"\b(?i:cookie)[\"']?\s{0,3}[:=]\s{0,3}[\"']?([^\r\n\"']{1,2000})")
_COOKIE = re.compile(r"(?<![^\s;])[\w.-]{1,60}=([A-Za-z0-9+/_.~%=:-]{16,400})(?=[\s;]|\Z)")
_USER = re.compile(
    r"\bcurl\b[^\r\n|;&]{0,300}?\s(?:-u|--user|-U|--proxy-user)[ =]?[\"']?"
    r"[^\s:\"'$]{1,64}:([^\s\"']{4,100}?)(?=[\"']?(?:\s|\Z))"
)
_OF_DATABASE = re.compile(
    r"\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|sshpass)\b[^\r\n|;&]{0,200}?\s-p[\"']?([^\s\"'$]{6,100})"
)
_IN_HEADERS = ("earer ", "EARER ", "uth", "UTH", "ookie", "OOKIE", "asic ")
_IN_COMMANDS = ("curl", "mysql", "mariadb", "sshpass")
"""One of them is in every text with such a value; a search for them is faster than one for a pattern."""


@dataclass(frozen=True)
class Headers(Unaided):
    """What is behind ``Authorization: Bearer`` and ``Basic``, and random values of cookies; the values only."""

    name: str = "secret-header"
    entity: str = "SECRET"

    def find(self, text: str) -> Iterator[Finding]:
        """The values in ``text``, with offsets into it."""
        if not any(map(text.__contains__, _IN_HEADERS)):
            return
        for match in _BEARER.finditer(text):
            if is_random(match[1]):
                yield self._finding(*match.span(1))
        for match in _BASIC.finditer(text):
            if _has_user_and_password(match[1]):
                yield self._finding(*match.span(1))
        for cookies in _COOKIES.finditer(text):
            for match in _COOKIE.finditer(text, *cookies.span(1)):
                if is_random(match[1]):
                    yield self._finding(*match.span(1))

    def _finding(self, start: int, end: int) -> Finding:
        return Finding(start, end, self.entity, 0.9, self.name, checked=False)


@dataclass(frozen=True)
class Commands(Unaided):
    """Passwords in the options of curl and of the clients of MySQL; the password only."""

    name: str = "secret-option"
    entity: str = "SECRET"

    def find(self, text: str) -> Iterator[Finding]:
        """The passwords in ``text``, with offsets into it."""
        if not any(map(text.__contains__, _IN_COMMANDS)):
            return
        for pattern in (_USER, _OF_DATABASE):
            for match in pattern.finditer(text):
                if not is_placeholder(match[1]):
                    yield Finding(*match.span(1), self.entity, 0.8, self.name, checked=False)


def _has_user_and_password(encoded: str) -> bool:
    """Whether it is the Base64 of text with a colon (RFC 7617)."""
    try:
        pair = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (Error, UnicodeDecodeError):
        return False
    user, colon, password = pair.partition(":")
    return bool(user and colon and password) and pair.isprintable()
