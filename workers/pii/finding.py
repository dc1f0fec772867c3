"""What a recogniser is and what it finds, and the words near a finding that make it likelier or less likely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

BOOST = 0.35
FLOOR = 0.55
"""What context adds to a score, and the least it makes of one. Presidio's LemmaContextAwareEnhancer adds as much but
ends at 0.4; ours must lift the weakest pattern over the default threshold of the task, 0.5."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``text[start:end]`` (code points, half-open) is a ``label``, with a ``score`` of 0 to 1.

    ``checked``: a checksum or a parser proved it; otherwise it only looks like one.
    ``learnt``: a model said so, whose score is on no scale of patterns.
    """

    start: int
    end: int
    label: str
    score: float
    recognizer: str
    checked: bool
    learnt: bool = False


class Words:
    """Words or phrases looked for near a finding: whole words in any case, with or without a plural s.

    At most ``before`` words before the finding and ``after`` words after it are read, at most 100 characters each way.
    """

    def __init__(self, phrases: Iterable[str], before: int = 5, after: int = 3) -> None:
        forms = sorted({" ".join(re.findall(r"\w+", phrase.lower())) for phrase in phrases} - {""})
        self._any = re.compile(rf" (?:{'|'.join(map(re.escape, forms))})s?(?= )" if forms else r"(?!)")
        self._before, self._after = before, after

    @classmethod
    def of(cls, phrases: str, before: int = 5, after: int = 3) -> Words:
        """The same, with commas between the phrases."""
        return cls(phrases.split(","), before, after)

    def near(self, text: str, start: int, end: int) -> int | None:
        """How far the nearest stands from ``text[start:end]``, in characters, at least 1; None where there is none."""
        found = re.findall(r"\w+", text[max(0, start - 100) : start].lower())[-self._before :] if self._before else []
        words = f" {' '.join(found)} "
        distances = [len(words) - match.end() for match in self._any.finditer(words)]
        found = re.findall(r"\w+", text[end : end + 100].lower())[: self._after]
        distances += [match.start() + 1 for match in self._any.finditer(f" {' '.join(found)} ")]
        return min(distances, default=None)


class Recognizer(Protocol):
    """Finds one entity in a text.

    ``Recognizers`` calls ``find`` only where the text has a number of at least ``digits`` digits and ``hint``, if there
    is one, matches somewhere; a hint should be quick. It applies ``context`` and ``against`` to what was found.
    """

    @property
    def name(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def digits(self) -> int: ...
    @property
    def hint(self) -> re.Pattern[str] | None: ...
    @property
    def context(self) -> Words | None: ...
    @property
    def against(self) -> Words | None: ...
    def find(self, text: str) -> Iterable[Finding]: ...


Check = Callable[[str], bool]


@dataclass(frozen=True)
class Pattern:
    """One entity by a regular expression and, where there is one, a check of what matched.

    ``score`` is for a match written with separators, ``bare`` for one in a single run of letters and digits.
    ``proves``: false for a check that sees no more than structure.
    ``regroup``: text that follows may look like one more group; drop groups from the end until the check holds.
    """

    name: str
    entity: str
    regex: re.Pattern[str]
    score: float
    bare: float
    check: Check | None = None
    digits: int = 0
    hint: re.Pattern[str] | None = None
    context: Words | None = None
    against: Words | None = None
    proves: bool = True
    regroup: bool = False

    def find(self, text: str) -> Iterator[Finding]:
        at = 0
        while match := self.regex.search(text, at):
            found = self._proved(match[0])
            start = match.start()
            # What failed may have taken the first group of a good one: 2024 4111 1111 1111 1111.
            at = start + max(1, len(found or re.split("[ -]", match[0], maxsplit=1)[0]))
            if found:
                score = self.bare if found.isalnum() else self.score
                proved = self.proves and self.check is not None
                yield Finding(start, start + len(found), self.entity, score, self.name, proved)

    def _proved(self, found: str) -> str:
        while self.check is not None and found and not self.check(found):
            found = found[: max(0, found.rfind(" "), found.rfind("-"))] if self.regroup else ""
        return found


def in_context(finding: Finding, recognizer: Recognizer, text: str) -> Finding:
    """The finding with the score that the nearest word that tells makes of it: to order, call 650-253-0000."""
    score = finding.score
    place = text, finding.start, finding.end
    context = None if recognizer.context is None else recognizer.context.near(*place)
    against = None if recognizer.against is None else recognizer.against.near(*place)
    if against is not None and (context is None or against < context):
        score = max(0.0, score - BOOST)
    elif context is not None:
        score = min(1.0, max(score + BOOST, FLOOR))
    return finding if score == finding.score else replace(finding, score=round(score, 4))
