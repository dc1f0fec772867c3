"""Recognisers, their findings, and the words near a finding that make it more or less likely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from workers.pii.boundaries import UNSPACED, continues, groups, is_one_of_many, touches_word

BOOST = 0.35
FLOOR = 0.55
"""How much context adds to a score, and the lowest score it leads to. Presidio's LemmaContextAwareEnhancer adds as much
but has a floor of 0.4; ours must lift the weakest pattern over the default threshold of the task, 0.5."""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile("(?<=[a-z][a-z])(?=[A-Z])|(?<=[A-Z][a-z])(?=[A-Z][a-z])")
"""Where one word ends and the next begins in ``passportNumber`` and ``taxIdNumber``, but not in ``DoB``."""
_BEHIND = 2
"""How much farther away a word behind a value counts than one before it: in ``ssn=1 dl=2`` the 1 belongs to ``ssn``."""


@lru_cache(maxsize=1024)
def words_of(text: str) -> list[str]:
    """The words of ``text`` in small letters; names of fields such as ``passportNumber`` are several words.

    Remembered until ``words_of.cache_clear()``, because dozens of recognisers ask for the words next to one number.
    The list must not be changed.
    """
    small = text.lower()
    return _WORD.findall(small if small == text else _HUMP.sub(" ", text).lower())


@dataclass(frozen=True, slots=True)
class Finding:
    """``text[start:end]`` (code points, half-open) is a ``label``, with a ``score`` from 0 to 1.

    ``recognizer`` is the name of what found it. ``checked``: a checksum or a parser proved it; otherwise it has the
    right form only. ``learnt``: a model found it, whose scores cannot be compared with those of patterns.
    ``distance``: characters to the context word that raised the score; 0 if none did.
    """

    start: int
    end: int
    label: str
    score: float
    recognizer: str
    checked: bool
    learnt: bool = False
    distance: int = 0


class Words:
    """Words or phrases to look for near a finding.

    They are compared as whole words in any case, with or without a plural s; those of scripts without spaces between
    words also match within a run of text. At most ``before`` words before the finding and ``after`` words after it are
    read, at most 100 characters each way. ``phrases``: what is looked for, in small letters, in alphabetical order.
    """

    def __init__(self, phrases: Iterable[str], before: int = 5, after: int = 3) -> None:
        """Compile the phrases; empty ones are ignored."""
        forms = sorted({" ".join(_WORD.findall(phrase.lower())) for phrase in phrases} - {""})
        spaced = [re.escape(form) for form in forms if not re.search(f"[{UNSPACED}]", form)]
        unspaced = [re.escape(form) for form in forms if re.search(f"[{UNSPACED}]", form)]
        ways = [rf" (?:{'|'.join(spaced)})s?(?= )"] * bool(spaced) + unspaced
        self.phrases = tuple(forms)
        self._any = re.compile("|".join(ways) or r"(?!)")
        self._before, self._after = before, after

    @classmethod
    def of(cls, phrases: str, before: int = 5, after: int = 3) -> Words:
        """Make ``Words`` of phrases separated by commas."""
        return cls(phrases.split(","), before, after)

    def near(self, text: str, start: int, end: int) -> int | None:
        """The distance of the nearest word from ``text[start:end]``, at least 1 character; None if there is none.

        Of two words equally near, the one before the value is nearer.
        """
        words = words_of(text[max(0, start - 100) : start])[-self._before :] if self._before else []
        line = f" {' '.join(words)} "
        distances = [len(line) - match.end() for match in self._any.finditer(line)]
        words = words_of(text[end : end + 100])[: self._after]
        distances += [match.start() + 1 + _BEHIND for match in self._any.finditer(f" {' '.join(words)} ")]
        return min(distances, default=None)


class Recognizer(Protocol):
    """Finds one entity in a text.

    ``Recognizers`` calls ``find`` only if the text has a number of at least ``digits`` digits and ``hint``, if there is
    one, matches somewhere; a hint should be fast. It applies ``context`` and ``against`` to what ``find`` yields.
    """

    @property
    def name(self) -> str:
        """The recogniser's name, for ``Finding.recognizer``."""
        ...

    @property
    def entity(self) -> str:
        """The label of its findings."""
        ...

    @property
    def digits(self) -> int:
        """The number of digits that the text's longest number must have."""
        ...

    @property
    def hint(self) -> re.Pattern[str] | None:
        """What must match somewhere in the text; None if the recogniser reads every text."""
        ...

    @property
    def context(self) -> Words | None:
        """Words that raise the score of a finding near them."""
        ...

    @property
    def against(self) -> Words | None:
        """Words that lower the score of a finding near them."""
        ...

    def find(self, text: str) -> Iterable[Finding]:
        """The findings in ``text``, with offsets into it, before any context."""
        ...


@dataclass(frozen=True)
class Unaided:
    """The base of recognisers whose findings need no words near them; the fields are those of ``Recognizer``."""

    digits: int = 0
    hint: re.Pattern[str] | None = None
    context: Words | None = None
    against: Words | None = None


Check = Callable[[str], bool]
_USUAL = (None, "", " ", "-")
"""What is usually between the groups of a number."""


@dataclass(frozen=True)
class Pattern:
    """Finds one entity by a regular expression and, if there is one, a check of what matched.

    ``score`` is for a match written with separators, ``bare`` for one in a single run of letters and digits. ``loose``
    (None: ``bare``) is for unusual separators (points, tabs, two spaces, in a group called ``sep`` of the regular
    expression) and line breaks, for small letters where capitals are usual, and for a match that touches a word.
    ``capitals``: the letters of the value are usually capitals. ``proves``: false for a check that sees the structure
    only.
    ``regroup``: the text that follows may look like one more group; drop groups from the end until the check holds.
    ``bounded``: the regular expression decides itself where a match may begin and end. Otherwise a match may touch
    letters and, across commas, other numbers, as far as that is safe.
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
    bounded: bool = True
    loose: float | None = None
    capitals: bool = False

    def find(self, text: str) -> Iterator[Finding]:
        """The matches that pass the check, in order, none overlapping another."""
        at = 0
        while match := self.regex.search(text, at):
            start = match.start()
            value = self._checked(match[0])
            if not value:
                # What failed may have taken the first group of a valid number: 2024 4111 1111 1111 1111.
                at = start + max(1, len(groups(match[0])[0]))
                continue
            end = start + len(value)
            score = self._score(match, value)
            placed = score if self.bounded else self._placed(text, start, end, match.end(), score)
            if placed is None:
                at = start + 1
                continue
            at = end
            yield Finding(start, end, self.entity, placed, self.name, self._proved)

    @property
    def _proved(self) -> bool:
        return self.proves and self.check is not None

    def _placed(self, text: str, start: int, end: int, last: int, score: float) -> float | None:
        """The score of ``text[start:end]`` in its surroundings; None if it is a part of something longer.

        ``last`` is where the match ended before groups were dropped.
        """
        touches = touches_word(text, start, end)
        if touches is None or continues(text, start, last, self._proved):
            return None
        bare = text[start:end].isalnum()
        if touches and bare and not self._proved:
            return None
        if (touches and (bare or not self._proved)) or (not self.regroup and is_one_of_many(text, start, end)):
            return min(score, self._loose)
        return score

    @property
    def _loose(self) -> float:
        return self.bare if self.loose is None else min(self.bare, self.loose)

    def _score(self, match: re.Match[str], value: str) -> float:
        loose = self._loose
        separator = match["sep"] if "sep" in self.regex.groupindex else None
        # 123.456.782 may be an amount, 4111.1111.1111.1111 is none.
        usual = separator in _USUAL or (separator == "." and self.proves and _is_no_amount(groups(value)))
        if not usual or "\n" in value:
            return loose
        if self.capitals and not value.isupper():
            return loose
        return self.bare if value.isalnum() else self.score

    def _checked(self, value: str) -> str:
        """``value``, or as many of its first groups as pass the check; empty if nothing passes."""
        while self.check is not None and value and not self.check(value):
            value = value[: -len(groups(value)[-1])].rstrip(" .\t-") if self.regroup and len(groups(value)) > 1 else ""
        return value


def _is_no_amount(parts: list[str]) -> bool:
    return len(parts) > 2 and len(parts[-1]) > 3


def in_context(finding: Finding, recognizer: Recognizer, text: str) -> Finding:
    """The finding with its score raised or lowered by the nearest context word: to order, call 650-253-0000."""
    score, distance = finding.score, 0
    place = text, finding.start, finding.end
    context = None if recognizer.context is None else recognizer.context.near(*place)
    against = None if recognizer.against is None else recognizer.against.near(*place)
    if against is not None and (context is None or against < context):
        score = max(0.0, score - BOOST)
    elif context is not None:
        score, distance = min(1.0, max(score + BOOST, FLOOR)), context
    return finding if score == finding.score else replace(finding, score=round(score, 4), distance=distance)
