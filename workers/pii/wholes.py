"""Names and dates of which a model has found a part: they are extended to the end of the word, or of the date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from workers.pii.dates import exists
from workers.pii.finding import Finding

_DATE = re.compile(
    r"(?<![\w./-])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d))(?![\w/-]|\.\d)", re.ASCII
)
_HYPHENS = "-\u2010\u2011"
_LONGEST = 40
_NAMES = frozenset({"LOCATION", "NRP", "ORGANIZATION", "PERSON"})


def with_whole_names(findings: Sequence[Finding], text: str) -> list[Finding]:
    """Extend each PERSON to the ends of its words: the parts of ``Hans-Jürgen`` are one name, whatever a model says.

    Other names within the same word are dropped. ``findings`` are sorted by start and do not overlap; so are the
    returned ones.
    """
    whole: list[Finding] = []
    at = 0
    while at < len(findings):
        finding, at = findings[at], at + 1
        if finding.label == "PERSON":
            start, end = _word_start(text, finding.start), _word_end(text, finding.end)
            following = at
            while following < len(findings) and findings[following].start < end:
                following += 1
            covered = findings[at:following]
            if all(each.end <= end and each.label in _NAMES for each in covered):
                at, finding = following, replace(finding, end=end)
            first = finding.start
            while whole and whole[-1].start >= start and whole[-1].label in _NAMES:
                first = whole.pop().start
            finding = replace(finding, start=first if whole and whole[-1].end > start else start)
        whole.append(finding)
    return whole


def with_whole_dates(findings: Sequence[Finding], text: str) -> list[Finding]:
    """Extend each DATE_TIME to the date of numbers that it is a part of; other findings within that date are dropped.

    ``findings`` are sorted by start and do not overlap; so are the returned ones.
    """
    if not any(finding.label == "DATE_TIME" for finding in findings):
        return list(findings)
    whole: list[Finding] = []
    at = 0
    for match in _DATE.finditer(text):
        start, end = match.span()
        while at < len(findings) and findings[at].end <= start:
            whole.append(findings[at])
            at += 1
        last = at
        while last < len(findings) and findings[last].start < end:
            last += 1
        dates = [each for each in findings[at:last] if each.label == "DATE_TIME"]
        within = all(start <= each.start and each.end <= end for each in findings[at:last])
        if dates and within and exists(match[0]):
            whole.append(replace(max(dates, key=lambda each: each.score), start=start, end=end))
            at = last
    return [*whole, *findings[at:]]


def _word_end(text: str, end: int) -> int:
    at, most = end, min(len(text), end + _LONGEST)
    if not text[at - 1 : at].isalpha():
        return end
    while at < most and (
        text[at].isalpha() or (text[at] in _HYPHENS and text[at + 1 : at + 2].isupper() and text[at - 1].isalpha())
    ):
        at += 1
    return at if at < most or most == len(text) else end


def _word_start(text: str, start: int) -> int:
    at, least = start, max(0, start - _LONGEST)
    while at > least and (
        text[at - 1].isalpha() or (text[at - 1] in _HYPHENS and text[at].isupper() and text[at - 2 : at - 1].isalpha())
    ):
        at -= 1
    return at if at == start or ((at > least or least == 0) and text[at].isupper()) else start
