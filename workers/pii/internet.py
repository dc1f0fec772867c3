"""E-mail addresses, URLs, and what a URL must not hide."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from workers.pii import checks
from workers.pii.boundaries import LATIN, UNSPACED
from workers.pii.finding import Finding, Unaided

_WORD = f"{LATIN}0-9_"
_OTHER = rf"[^\W{LATIN}]"
"""A letter or digit, except Latin letters. Names on the Internet do not mix them with Latin ones."""
_LABEL = rf"(?:[{LATIN}0-9][{LATIN}0-9-]{{0,62}}|[^\W_{LATIN}](?:[^\W_{LATIN}]|-){{0,62}})"
_PICTURES = "png|jpe?g|gif|svg|webp"
# After RFC 5321: a local part of at most 64 characters without two dots in a row, then a host with a domain.
_LOCAL = re.compile(rf"(?<![{_WORD}])[{_WORD}](?:[{_WORD}+%'&-]|\.(?![.@])){{0,63}}+(?=@)")
_LOCAL_OTHER = re.compile(rf"(?<!\w){_OTHER}(?:{_OTHER}|[+%'&-]|\.(?![.@])){{0,63}}+(?=@)")
_HOST = re.compile(
    rf"(?:{_LABEL}\.){{1,8}}(?!(?:{_PICTURES})(?![{_WORD}]))"
    rf"(?:[Xx][Nn]--[A-Za-z0-9-]{{1,58}}[A-Za-z0-9](?![{LATIN}0-9])|[{LATIN}]{{2,24}}(?![{LATIN}0-9])"
    rf"|[^\W\d_{LATIN}]{{2,24}}(?!\w))"
)
_AT = re.compile(r"(?<=[\w+%'&-])@(?=\w)")


@dataclass(frozen=True)
class Email(Unaided):
    """E-mail addresses, also within text of a script that puts no spaces between words."""

    name: str = "email"
    entity: str = "EMAIL_ADDRESS"
    hint: re.Pattern[str] | None = re.compile("@")

    def find(self, text: str) -> Iterator[Finding]:
        """The addresses in ``text``, with offsets into it."""
        free = 0
        for match in _AT.finditer(text):
            at = match.start()
            host = _HOST.match(text, at + 1)
            start = self._local(text, max(free, at - 64), at, host[0].isascii()) if host else None
            free = at + 1
            if host and start is not None:
                end = free = host.end()
                # _anna@example.org_: underscores on both sides are emphasis.
                while text[start] == "_" and text[free : free + 1] == "_":
                    start, free = start + 1, free + 1
                if start < at and checks.email(text[start:end]):
                    yield Finding(start, end, self.entity, 1.0, self.name, checked=True)

    @staticmethod
    def _local(text: str, first: int, at: int, ascii_host: bool) -> int | None:
        """The start of the local part that ends at ``at``, from ``first`` on; None if there is none."""
        starts = [
            match.start()
            for pattern in (_LOCAL, _LOCAL_OTHER)
            if (match := pattern.search(text, first, at + 1)) and match.end() == at
        ]
        # Digits belong to either: 电话 before 123@example.org is not a part of it.
        return (max(starts) if ascii_host else min(starts)) if starts else None


_TOPS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|xyz|online|site|shop|store|tech|cloud|blog|news|eu|de|uk|fr|nl|se|dk|"
    "fi|pl|ch|ru|jp|cn|br|au|ca|cz|hu|ie|pt|gr|tr|kr|tw|hk|sg|nz|za|mx|ar|cl"
)
"""The ends of host names without a scheme or www: common domains, except those that are words (it, in, is, me, no, so),
which are found wherever the space after a full stop is missing."""
_OUTSIDE = (
    r"\s<>\"`{}|\\^\u2014\u201c-\u201e\u2026\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\uff01-\uff20\uff3b-\uff40"
    r"\uff5b-\uff65\u2600-\u27bf\U0001f000-\U0001faff"
)
"""What a URL does not contain: white space, signs that RFC 3986 leaves out, Chinese and Japanese punctuation, emoji."""
_URL = re.compile(
    rf"(?<![{LATIN}0-9])[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^{_OUTSIDE}]++"
    rf"|(?<![{LATIN}0-9@.-])(?<![{LATIN}0-9]_)(?:[Ww]{{3}}\.(?:{_LABEL}\.){{1,8}}(?:[Xx][Nn]--[A-Za-z0-9-]{{2,59}}"
    rf"|[{LATIN}]{{2,24}}|[^\W\d_{LATIN}]{{2,24}})(?![{_WORD}-])"
    rf"|(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,5}}(?:(?:com|co|org|net|ac|gov|edu)\.[a-z]{{2}}|xn--[a-z0-9-]{{2,59}}|{_TOPS}))"
    rf"(?![{LATIN}0-9@]|_[{LATIN}0-9]|[.-][{_WORD}])(?::[0-9]{{1,5}}(?![0-9]))?(?:[/?#][^{_OUTSIDE}]*+)?"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}://)?+([^/?#]{1,1000}+)(?![^/?#])")
"""The part that names the host, at a length that urlsplit, which caches its arguments, may keep."""
_CLOSING = {")": "(", "]": "["}
_ENDS = re.compile(
    # The next URL of a list, or the text of a script without spaces behind a URL in ASCII.
    rf"[,;](?=[A-Za-z][A-Za-z0-9+.-]{{1,15}}://)|(?<=[A-Za-z0-9])(?=[{UNSPACED}])"
)
_ENCLOSING = {",": ",", ";": ";", "'": "'"}
"""What ends a URL if it comes right before it, too: CSV and quotation marks."""


@dataclass(frozen=True)
class Url(Unaided):
    """URLs with a scheme, and host names with ``www.`` or a common top-level domain, with their paths."""

    name: str = "url"
    entity: str = "URL"
    hint: re.Pattern[str] | None = re.compile(r"[:.](?://|[^\W\d_]{2})")

    def find(self, text: str) -> Iterator[Finding]:
        """The URLs in ``text``, with offsets into it."""
        at = 0
        while match := _URL.search(text, at):
            start = match.start()
            url = _without_punctuation(_up_to_its_end(match[0], text[start - 1 : start]))
            at = start + max(1, len(url))
            if _has_host(url):
                score = 0.9 if "://" in url or url[:4].lower() == "www." else 0.6
                yield Finding(start, start + len(url), self.entity, score, self.name, checked=True)


def _has_host(url: str) -> bool:
    try:
        return (match := _AUTHORITY.match(url)) is not None and bool(urlsplit(f"//{match[1]}").hostname)
    except ValueError:
        return False


def _up_to_its_end(url: str, before: str) -> str:
    """The URL without the fields of the line or the unspaced text behind it; ``before`` is the character before it."""
    if match := _ENDS.search(url):
        url = url[: match.start()]
    if before in _ENCLOSING and (end := url.find(_ENCLOSING[before])) > 0:
        url = url[:end]
    if before and before in "([":
        closing = ")" if before == "(" else "]"
        depth = 0
        for at, sign in enumerate(url):
            depth += (sign == before) - (sign == closing)
            if depth < 0:
                return url[:at]
    return url


def _without_punctuation(url: str) -> str:
    """The URL without punctuation of the sentence around it, and without closing brackets that it did not open."""
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


_LIKELY = 0.5
"""The least score of a finding that is taken for the next field behind a URL."""
_QUERY = re.compile("[?#]")


def divided(findings: list[Finding], text: str) -> list[Finding]:
    """The findings, with URLs cut where other personal data begins.

    A URL ends before a comma or semicolon that another finding follows: they are fields of a line. A finding in the
    query of a URL with at least the URL's score, such as an e-mail address, divides it: the parts of the URL before
    and behind the finding remain URLs.
    """
    urls = [finding for finding in findings if finding.recognizer == Url.name]
    if not urls:
        return findings
    if len(urls) == len(findings):
        return findings
    others = sorted((finding for finding in findings if finding.recognizer != Url.name), key=_start)
    result = list(others)
    for url in urls:
        within = others[bisect_right(others, url.start, key=_start) : bisect_left(others, url.end, key=_start)]
        result += _pieces(url, within, text) if within else [url]
    return result


def _start(finding: Finding) -> int:
    return finding.start


def _pieces(url: Finding, within: list[Finding], text: str) -> Iterator[Finding]:
    """What is left of a URL; ``within`` are the findings that begin in it, by start."""
    fields = [each.start for each in within if each.score >= _LIKELY and text[each.start - 1] in ",;"]
    if fields:
        url = replace(url, end=fields[0] - 1)
    at, query = url.start, _QUERY.search(text, url.start, url.end)
    for each in within if query else ():
        if query and query.start() < each.start >= at and each.end <= url.end and each.score >= url.score:
            yield replace(url, start=at, end=each.start)
            at = each.end
    if at == url.start or any(map(str.isalnum, text[at : url.end])):
        yield replace(url, start=at)
