"""How much work a condition with macros may cause, estimated before it is evaluated.

The CEL package has no limit, and its macros are expensive: each use of a list copies it, and ``map`` and ``filter``
copy their result for every entry. The estimate is an upper bound in units of about 10 ns, one unit for each byte that a
use copies or searches. It is derived from the source once, and from the sizes of the values for each event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from schemas.paths import Steps

MAX_WORK = 200_000_000
"""Units of work for one event and one condition: about 2 seconds."""

MACRO = r"\.(?:all|exists|exists_one|existsOne|map|filter)\s*\("
_MACRO = re.compile(MACRO)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NAME = re.compile(r"(?<![\w.\"])[A-Za-z_]\w*(?!\w|\s*\()")
_WORDS = frozenset({"true", "false", "null", "in"})
_PER_TOKEN = 6
_PER_ITERATION = 15
_MATCHES = re.compile(r'\.matches\s*\(\s*(?:"(\d+)")?')
_PER_MATCH = 3_000
"""Each call of ``matches`` compiles its pattern, and counted repetitions multiply what there is to compile."""
_PER_REPETITION = {True: 25_000, False: 100}
"""Work of each counted repetition: of what may match much of Unicode (True), and of anything else."""
_LARGE_CLASS = re.compile(r"\\[wWpPdDsSbB]|\(\?|\[\^|\.")
_MOST_PER_MATCH = 4_000_000
_STRING_DISCOUNT = 8
"""Texts are searched but never copied."""

Sizes: TypeAlias = Callable[[str, Steps, bool], tuple[float, float, float]]
"""(variable, steps, whether a macro runs over the value there) -> upper bounds of the bytes of the value, its entries,
and the bytes of its largest entry."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A use of a variable: the steps to a fixed place in it, and whether a macro runs over the value there."""

    name: str
    steps: Steps
    complete: bool


@dataclass(slots=True)
class _Part:
    """A part of the source without what its macros contain: its uses, its constant work, and its macros."""

    uses: list[_Use] = field(default_factory=list)
    length: int = 0
    work: int = 0
    macros: list[_Loop] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Loop:
    """A macro: ``start`` and ``end`` in the source, its list, the variable it binds, and what it does per entry."""

    start: int
    end: int
    kind: str
    variable: str
    entries: _Part
    body: _Part


class Work:
    """The estimate for one condition. Any thread may use it."""

    def __init__(self, bare: str, literals: Sequence[str]) -> None:
        """Analyse ``bare``, the source without comments and with the index in ``literals`` in place of each literal."""
        self._bare = bare
        self._literals = literals
        self._root = self._parse(0, len(bare))
        self._always_enough = self._largest_total() if self._root.macros else float("inf")

    @property
    def has_macros(self) -> bool:
        """Whether the condition has macros; without them there is nothing to estimate."""
        return bool(self._root.macros)

    def exceeds(self, variables: Mapping[str, Any]) -> bool:
        """Return whether evaluating the condition for ``variables`` may take more than ``MAX_WORK``."""
        if not self._root.macros:
            return False
        total = sum(map(_size, variables.values()))
        if total <= self._always_enough or total == float("inf"):
            return total == float("inf")
        return self.estimate(variables) > MAX_WORK

    def estimate(self, variables: Mapping[str, Any]) -> float:
        """Return an upper bound of the work for ``variables``, of which each must be shallow enough to measure."""
        known: dict[tuple[str, Steps, bool], tuple[float, float, float]] = {}

        def sizes(name: str, steps: Steps, complete: bool) -> tuple[float, float, float]:
            if (name, steps, complete) not in known:
                value = _follow(variables.get(name), steps)
                size = _size(value)
                known[name, steps, complete] = size, size / 2, size
                if complete:
                    entries = value if isinstance(value, list | dict) else []
                    known[name, steps, complete] = size, len(entries), max(map(_size, entries), default=0)
            return known[name, steps, complete]

        return _work(self._root, sizes, {})[0]

    def _largest_total(self) -> float:
        """Return a total size of all variables with which the limit cannot be exceeded."""
        totals = (2.0**power for power in range(30))
        too_much = (total for total in totals if _work(self._root, _always(total), {})[0] > MAX_WORK)
        return next(too_much, 2.0**30) / 2

    def _parse(self, start: int, end: int) -> _Part:
        part = _Part()
        at = start
        for match in _MACRO.finditer(self._bare, start, end):
            if match.start() < at:
                continue
            at = closing(self._bare, match.end())
            first = _start_of_operand(self._bare, match.start(), start)
            inner = [loop for loop in part.macros if loop.start >= first]
            entries = self._without(first, match.start(), inner)
            binding = re.compile(r"\W*(\w*)[^,]*,?").match(self._bare, match.end(), at)
            assert binding is not None
            body = self._parse(min(binding.end(), at), at)
            part.macros = [loop for loop in part.macros if loop.start < first]
            part.macros.append(_Loop(first, at, match[0].strip(".( \n\t\r"), binding[1], entries, body))
        return self._without(start, end, part.macros)

    def _without(self, start: int, end: int, loops: Sequence[_Loop]) -> _Part:
        """Return the part from ``start`` to ``end`` with ``loops`` as its macros."""
        part = _Part(macros=list(loops))
        gaps = zip([start, *(loop.end for loop in loops)], [*(loop.start for loop in loops), end], strict=True)
        for first, last in gaps:
            text = self._bare[first:last]
            part.length += len(text)
            part.work += _PER_TOKEN * len(_TOKEN.findall(text)) + sum(map(self._match, _MATCHES.findall(text)))
            for name in _NAME.finditer(text):
                rest = self._bare[first + name.end() :]
                if name[0] in _WORDS:
                    continue
                steps, length = leading_steps(rest, self._literals)
                complete = _MACRO.match(rest[length:].lstrip(") \t\r\n")) is not None
                part.uses.append(_Use(name[0], tuple(steps), complete))
                part.length -= len(name[0]) + length
        part.length = max(0, part.length)
        return part

    def _match(self, literal: str) -> int:
        """Return the work of one call of ``matches`` with the literal of this index, or with another expression."""
        if not literal:
            return _MOST_PER_MATCH
        pattern = self._literals[int(literal)]
        repetitions = [int(most) for most in re.findall(r"(\d{1,6})\}", pattern)]
        large = _PER_REPETITION[bool(_LARGE_CLASS.search(pattern))]
        return min(_MOST_PER_MATCH, _PER_MATCH + large * math.prod(repetitions) if repetitions else _PER_MATCH)


_STEP = re.compile(r"""\.(\w+)(?!\w|\s*\()|\s*\[\s*(?:"(\d+)"|(\d{1,9}))\s*\]""")


def leading_steps(use: str, literals: Sequence[str]) -> tuple[Steps, int]:
    """Return the steps at the beginning of ``use``, what follows a variable, that lead to a fixed place; their length.

    They end at the first call and at the first index that is not a simple literal.
    """
    steps: list[str | int] = []
    at = 0
    while step := _STEP.match(use, at):
        name, literal, index = step.groups()
        if literal is not None:
            simple = re.fullmatch(r"""(["'])([^\\"']*)\1""", literals[int(literal)])
            if simple is None:
                break
            name = simple[2]
        steps.append(int(index) if name is None else name)
        at = step.end()
    return tuple(steps), at


def closing(bare: str, at: int) -> int:
    """Return the index after the parenthesis that closes the one around ``at``."""
    depth = 1
    while at < len(bare) and depth:
        depth += {"(": 1, ")": -1}.get(bare[at], 0)
        at += 1
    return at


def _always(total: float) -> Sizes:
    return lambda *_: (total, total / 2, total)


def _work(part: _Part, sizes: Sizes, bound: Mapping[str, float]) -> tuple[float, float, float, float]:
    """Return upper bounds of the work of ``part``, and of the bytes, entries and largest entry of its value.

    ``bound``: the sizes of the variables that the macros around it bind.
    """
    work: float = part.work
    size: float = part.length
    entries = part.length / 2
    largest = 0.0
    for use in part.uses:
        if use.name in bound:
            bytes_used = bound[use.name]
            entries_used, largest = bytes_used / 2, bytes_used
        else:
            bytes_used, entries_used, largest = sizes(use.name, use.steps, use.complete)
        work += bytes_used
        size += bytes_used
        entries += entries_used
    for loop in part.macros:
        loop_work, loop_size, loop_entries, largest = _loop(loop, sizes, bound)
        work += loop_work
        size += loop_size
        entries += loop_entries
    # Where the value is made of several, or of a list within brackets, an entry may be any part of it.
    alone = part.length == 0 and len(part.uses) + len(part.macros) == 1
    return work, size, entries, largest if alone else size


def _loop(loop: _Loop, sizes: Sizes, bound: Mapping[str, float]) -> tuple[float, float, float, float]:
    """Return what ``_work`` does, for a macro."""
    work, size, entries, largest = _work(loop.entries, sizes, bound)
    # Both bounds of the body are polynomials of the entry's size without negative terms, and the sizes of all entries
    # add up to that of the list. So what depends on an entry's size is at most what it is for one entry of that size.
    fixed_work, fixed_size, *_ = _work(loop.body, sizes, {**bound, loop.variable: 0.0})
    most_work, most_size, *_ = _work(loop.body, sizes, {**bound, loop.variable: size})
    each_work, each_size, *_ = _work(loop.body, sizes, {**bound, loop.variable: largest})
    work += entries * _PER_ITERATION
    work += min(entries * each_work, entries * fixed_work + most_work - fixed_work)
    if loop.kind == "map":
        size = min(entries * each_size, entries * fixed_size + most_size - fixed_size)
        largest = each_size
    if loop.kind in {"map", "filter"}:
        return work + entries * size / 2, size, entries, largest
    return work, 5, 0, 0


def _start_of_operand(bare: str, at: int, least: int) -> int:
    """Return where the operand that ends at ``at`` begins: names, fields, indices, calls, lists and parentheses."""
    while at > least:
        before = at
        while at > least and (bare[at - 1].isspace()):
            at -= 1
        if at > least and bare[at - 1] in ")]}":
            at = _opening(bare, at - 1, least)
            # What is called or indexed is part of the operand.
            if at > least and (re.match(r"[\w)\]}.\"]", bare[at - 1])):
                continue
            return at
        while at > least and re.match(r"[\w\"]", bare[at - 1]):
            at -= 1
        if at > least and bare[at - 1] == ".":
            at -= 1
            continue
        return min(before, at)
    return at


def _opening(bare: str, at: int, least: int) -> int:
    """Return the index of the bracket that the one at ``at`` closes."""
    depth = 0
    while at >= least:
        depth += 1 if bare[at] in ")]}" else -1 if bare[at] in "([{" else 0
        if depth == 0:
            return at
        at -= 1
    return least


def _follow(value: Any, steps: Steps) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value


def _size(value: Any) -> float:
    """Return the bytes of ``value`` as JSON; fewer for a text."""
    if isinstance(value, str):
        return 1 + len(value) // _STRING_DISCOUNT
    try:
        return len(orjson.dumps(value))
    except TypeError:
        # Too deep for orjson, or no JSON.
        try:
            return len(repr(value))
        except RecursionError:
            return float("inf")
