"""Expected values, partial and with ranges, and how they are compared with actual ones.

- A mapping names some of the fields; the others are not compared. A missing field counts as null.
- A list names some of the entries, in any order; ``[]`` means none. ``{exact: [..]}`` allows no other entries, and
  ``{excludes: [..]}`` forbids some. An entry is partial like any mapping, and each needs an entry of its own.
- A number is equal to within 0.001, unless both are whole; ``">= 0.8"`` and ``"> 0.2, < 0.4"`` compare.
- A text is equal; ``{contains: ..}`` wants a part of it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.pipeline.tree import Path
from schemas.pipeline.wording import did_you_mean

_TOLERANCE = 0.001
_MODES = ("contains", "exact", "excludes")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_COMPARISON = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
_A_NUMBER = 'must be a number, or a comparison such as ">= 0.8" or "> 0.2, < 0.4"'


class _Missing:
    """The actual value of a field that is not there."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


class Mistake(NamedTuple):
    """What is wrong at ``path``; with ``at_key``, the position to report is that of the field's name."""

    path: Path
    message: str
    at_key: bool = False


class Difference(NamedTuple):
    """What is not as expected.

    - ``path``: where in the expectation.
    - ``message``: what differs, without values.
    - ``expected``, ``actual``: the values. If entries of a list are compared, ``actual`` is a tuple of those that are
      left, the most similar first.
    """

    path: Path
    message: str
    expected: Any
    actual: Any


Differences: TypeAlias = Iterator[Difference]


def differences(expected: Any, actual: Any, path: Path = ()) -> Differences:
    """Yield how ``actual``, a value of JSON or MISSING, differs from ``expected``, which is at ``path``."""
    if isinstance(expected, list):
        yield from _entries("contains" if expected else "exact", expected, actual, path)
    elif _is_choice(expected) and (isinstance(actual, list) or not isinstance(actual, str | Mapping)):
        for mode, value in expected.items():
            yield from _entries(mode, value, actual, (*path, mode))
    elif _is_choice(expected) and isinstance(actual, str):
        if expected.get("contains", "") not in actual:
            yield Difference((*path, "contains"), "is not a part of it", expected["contains"], actual)
    elif isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield Difference(path, "differs", expected, actual)
            return
        for name, value in expected.items():
            yield from differences(value, actual.get(name, MISSING), (*path, name))
    elif not _equal(expected, actual):
        yield Difference(path, "differs", expected, actual)


def _entries(mode: str, expected: Sequence[Any], actual: Any, path: Path) -> Differences:
    if not isinstance(actual, list):
        yield Difference(path, "differs", expected, actual)
        return
    fits = [[not any(differences(entry, value)) for value in actual] for entry in expected]
    if mode == "excludes":
        for index, row in enumerate(fits):
            if True in row:
                yield Difference((*path, index), "is there", MISSING, (actual[row.index(True)],))
        return
    partners = _partners(fits)
    taken = set(partners.values())
    for index, entry in enumerate(expected):
        if index not in partners:
            left = [value for number, value in enumerate(actual) if number not in taken]
            left.sort(key=lambda value, entry=entry: _distance(entry, value))  # type: ignore[misc]
            yield Difference((*path, index), "no entry is like this", entry, tuple(left))
    if mode == "exact" and len(actual) > len(taken) and len(partners) == len(expected):
        others = tuple(value for number, value in enumerate(actual) if number not in taken)
        yield Difference(path, "there are other entries", MISSING, others)


def _partners(fits: Sequence[Sequence[bool]]) -> dict[int, int]:
    """Return for as many rows as possible a column that fits, each column once (augmenting paths)."""
    owner: dict[int, int] = {}

    def assign(row: int, seen: set[int]) -> bool:
        for column, good in enumerate(fits[row]):
            if good and column not in seen:
                seen.add(column)
                if column not in owner or assign(owner[column], seen):
                    owner[column] = row
                    return True
        return False

    for row in range(len(fits)):
        assign(row, set())
    return {row: column for column, row in owner.items()}


def _distance(expected: Any, actual: Any) -> int:
    return sum(1 for _ in differences(expected, actual))


def _equal(expected: Any, actual: Any) -> bool:
    if expected is None:
        return actual is None or actual is MISSING
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, int | float):
        if isinstance(expected, str):
            comparisons = _comparisons(expected)
            return bool(comparisons) and all(compare(actual, bound) for compare, bound in comparisons)
        if isinstance(expected, int) and isinstance(actual, int):
            return actual == expected
        return isinstance(expected, int | float) and abs(actual - expected) <= _TOLERANCE
    return type(actual) is type(expected) and bool(actual == expected)


def _comparisons(text: str) -> list[tuple[Callable[[float, float], bool], float]]:
    """Parse ``"> 0.2, < 0.4"``; an empty list if ``text`` is no comparison."""
    matches = [_COMPARISON.fullmatch(part) for part in text.split(",")]
    return [(_OPERATORS[match[1]], float(match[2])) for match in matches if match] if all(matches) else []


def _is_choice(expected: Any) -> bool:
    """Whether ``expected`` names modes of comparison instead of fields."""
    return isinstance(expected, Mapping) and bool(expected) and all(name in _MODES for name in expected)


def mistakes(expected: Any, kind: Any, labels: Collection[str] = (), path: Path = ()) -> Iterator[Mistake]:
    """Yield what is wrong with ``expected``, an expectation of a value of the type ``kind``.

    ``kind`` is an annotation's model or the type of one of its fields; Any if nothing is known. ``labels`` are all
    labels that the annotation can have; empty if they are not known.
    """
    kinds, optional = _kinds(kind)
    if Any in kinds or (expected is None and optional):
        return
    if expected is None:
        yield Mistake(path, "must not be empty")
        return
    name = _telling(expected, kinds)
    if name is not None:
        choices = [str(choice) for kind in kinds for choice in get_args(kind.model_fields[name].annotation)]
        if expected[name] not in choices:
            hint = did_you_mean(expected[name], choices)
            yield Mistake((*path, name), f"must be one of {', '.join(choices)}{hint}")
            return
        kinds = [kind for kind in kinds if expected[name] in get_args(kind.model_fields[name].annotation)]
    yield from min((list(_mistakes(expected, kind, labels, path)) for kind in kinds), key=len)


def _telling(expected: Any, kinds: Sequence[Any]) -> str | None:
    """Return the field of ``expected`` that tells which of several models it is, as each has fixed values for it."""
    models = [kind.model_fields for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if len(kinds) == 1 or len(models) < len(kinds) or not isinstance(expected, Mapping):
        return None
    for name in expected:
        if all(name in model and get_origin(model[name].annotation) is Literal for model in models):
            return str(name)
    return None


def _mistakes(expected: Any, kind: Any, labels: Collection[str], path: Path) -> Iterator[Mistake]:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not isinstance(expected, Mapping):
            yield Mistake(path, "must be a mapping of fields")
            return
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        for name, value in expected.items():
            place = (*path, name)
            if name not in fields:
                yield Mistake(place, "unknown field" + did_you_mean(name, fields), at_key=True)
                continue
            yield from mistakes(value, fields[name], labels, place)
            if name == "label" and isinstance(value, str):
                yield from _label(value, labels, place)
            elif name == "scores" and isinstance(value, Mapping):
                for label in value:
                    yield from _label(label, labels, (*place, label), at_key=True)
    elif origin is list:
        yield from _list_mistakes(expected, arguments[0], labels, path)
    elif origin is dict:
        if not isinstance(expected, Mapping):
            yield Mistake(path, "must be a mapping")
            return
        for name, value in expected.items():
            if value is not None:  # there is no such entry
                yield from mistakes(value, arguments[1], (), (*path, name))
    elif origin is Literal:
        if expected not in arguments:
            choices = [str(choice) for choice in arguments]
            yield Mistake(path, f"must be one of {', '.join(choices)}" + did_you_mean(expected, choices))
    elif kind is bool:
        if not isinstance(expected, bool):
            yield Mistake(path, "must be true or false")
    elif kind in {int, float}:
        is_number = isinstance(expected, int | float) and not isinstance(expected, bool)
        if not is_number and not (isinstance(expected, str) and _comparisons(expected)):
            yield Mistake(path, _A_NUMBER)
    elif kind is str:
        yield from _text_mistakes(expected, path)


def _list_mistakes(expected: Any, kind: Any, labels: Collection[str], path: Path) -> Iterator[Mistake]:
    if isinstance(expected, list):
        for index, entry in enumerate(expected):
            yield from mistakes(entry, kind, labels, (*path, index))
        return
    if not isinstance(expected, Mapping) or not expected:
        yield Mistake(path, f"must be a list, or a mapping with {', '.join(_MODES)}")
        return
    for mode, entries in expected.items():
        if mode not in _MODES:
            known = f", only {', '.join(_MODES)}"
            yield Mistake((*path, mode), "unknown field" + (did_you_mean(mode, _MODES) or known), at_key=True)
        elif not isinstance(entries, list):
            yield Mistake((*path, mode), "must be a list")
        elif not entries and mode != "exact":
            yield Mistake((*path, mode), "must not be empty; for no entries at all, write []")
        else:
            yield from _list_mistakes(entries, kind, labels, (*path, mode))


def _text_mistakes(expected: Any, path: Path) -> Iterator[Mistake]:
    if isinstance(expected, Mapping):
        for name, value in expected.items():
            if name != "contains":
                yield Mistake((*path, name), "unknown field, only contains", at_key=True)
            elif not isinstance(value, str) or not value:
                yield Mistake((*path, name), "must be text")
    if expected == {} or not isinstance(expected, str | Mapping):
        quotes = ", put it in quotes" if isinstance(expected, bool | int | float) else ""
        yield Mistake(path, "must be text, or a mapping with contains" if not quotes else f"must be text{quotes}")


def _label(label: str, labels: Collection[str], path: Path, at_key: bool = False) -> Iterator[Mistake]:
    if labels and label not in labels:
        known = f", only {', '.join(sorted(labels)[:20])}"
        yield Mistake(path, "is not a label of this task" + (did_you_mean(label, labels) or known), at_key)


def _kinds(kind: Any) -> tuple[list[Any], bool]:
    """Return the alternatives of a type without None, and whether None is one of them."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _kinds(get_args(kind)[0])
    if origin in {Union, UnionType}:
        parts = [_kinds(part) for part in get_args(kind)]
        return [part for kinds, _ in parts for part in kinds], any(optional for _, optional in parts)
    return ([], True) if kind is type(None) else ([kind], False)
