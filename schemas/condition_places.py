"""A quick way to evaluate a condition: on the values it uses, not on whole annotations and events.

The CEL package converts all variables for each evaluation, and maps are what takes longest: a moderation costs 40 µs,
its ``flagged`` 0.3 µs. So each place that is used, such as ``safety.flagged``, becomes a variable. Results are also
remembered for values that are booleans and short texts, because these recur.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from schemas.condition_work import leading_steps
from schemas.document import Document
from schemas.paths import Steps, follow

T = TypeVar("T")

Shared: TypeAlias = dict[str, Any]
"""Values of variables that are made for one event, for all conditions that are evaluated for it."""
Lookup: TypeAlias = Callable[[str, Document], Any]
"""Returns the value of a variable for a document."""
Getter: TypeAlias = Callable[[Document, Shared], Any]
"""Returns the value at a place; ``MISSING`` if there is none."""
Place: TypeAlias = tuple[str, Steps, str]
"""A variable, steps in its value, and what of the value there is used: ``value``, ``size``, or ``has`` (whether it is
there). ``field``: the value of a field of an annotation, which is the commonest place."""

MISSING = object()
WHOLE = ""
"""The key in ``Shared`` that tells that a condition needed whole variables."""
_MADE = frozenset({"headers", "fields"})
"""Variables whose values are made for each event."""
_OF_DOCUMENT = {"text": "document.text", "topic": "document.record.assignment.topic"}
"""Variable -> an expression for its value, if the document has a record."""
_CALL = re.compile(r"(?<![\w.])(has|size)\s*\(\s*$")
_END = re.compile(r"\s*\)")
_MOST_KNOWN = 4096
_LONGEST = 64
"""Characters of a text that is worth remembering."""


class Known(Generic[T]):
    """Remembers what follows from the values at some places. Any thread may use it."""

    def __init__(self, places: Sequence[Place]) -> None:
        """``places``: where the values are from, in their order."""
        self._known: dict[tuple[Any, ...], tuple[T, tuple[int, ...]]] = {}
        self._always_booleans = frozenset(index for index, (_, _, kind) in enumerate(places) if kind == "has")

    def get(self, values: tuple[Any, ...]) -> T | None:
        """Return what was put for ``values``, None if nothing was."""
        try:
            entry = self._known.get(values)
        except TypeError:  # lists and maps have no hash
            return None
        if entry is None:
            return None
        # In Python, True equals 1.
        for index in entry[1]:
            if values[index] is not True and values[index] is not False:
                return None
        return entry[0]

    def put(self, values: tuple[Any, ...], result: T) -> None:
        """Remember ``result`` if all ``values`` are booleans, short texts, or missing."""
        booleans = []
        for index, value in enumerate(values):
            if value is True or value is False:
                if index not in self._always_booleans:
                    booleans.append(index)
            elif value is not MISSING and (value.__class__ is not str or len(value) > _LONGEST):
                return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[values] = result, tuple(booleans)


class Places:
    """The places that a condition uses. Any thread may use it. False if there are none.

    Attributes:
        source: the condition with a variable in place of each.
        getters: what reads each place.
    """

    def __init__(
        self, bare: str, literals: Sequence[str], names: frozenset[str], tasks: frozenset[str], lookup: Lookup
    ) -> None:
        """Find the uses of ``names``, the variables, in ``bare``: the source with the index in place of each literal.

        ``tasks`` are the names of annotations among them. No name may be bound by a macro.
        """
        prefix = "v"
        while prefix in bare:
            prefix += "_"
        places: dict[Place, str] = {}
        pieces, at = [], 0
        uses = re.finditer(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)", bare) if names else ()
        for use in uses:
            steps, length = leading_steps(bare[use.end() :], literals)
            start, end, kind = use.start(), use.end() + length, "value"
            call, closed = _CALL.search(bare, at, start), _END.match(bare, end)
            if call is not None and closed is not None and (steps or call[1] == "size"):
                start, end, kind = call.start(), closed.end(), call[1]
            elif use[0] in tasks and len(steps) == 1 and isinstance(steps[0], str):
                kind = "field"
            pieces += [bare[at:start], places.setdefault((use[0], steps, kind), f"{prefix}{len(places)}")]
            at = end
        pieces.append(bare[at:])
        self.source = re.sub(r'"(\d+)"', lambda match: literals[int(match[1])], "".join(pieces))
        self.getters: dict[Place, Getter] = {place: _getter(*place, lookup) for place in places}
        self._read = Reader([self.getters])
        self._names = [places[place] for place in self._read.places]
        self._known: Known[bool] = Known(self._read.places)

    def __bool__(self) -> bool:
        return bool(self._names)

    def result(self, document: Document, shared: Shared, evaluate: Callable[[dict[str, Any]], Any]) -> Any:
        """Return what ``evaluate``, which runs ``source``, returns for the values of ``document``, or returned before.

        A value that does not exist is left out, so using it is an error. Raises what ``evaluate`` raises.
        """
        values = self._read(document, shared)
        if (known := self._known.get(values)) is not None:
            return known
        named = zip(self._names, values, strict=True)
        result = evaluate({name: value for name, value in named if value is not MISSING})
        if result is True or result is False:
            self._known.put(values, result)
        return result


class Reader:
    """Reads several places. Any thread may use it.

    ``places`` is the order of the values that it returns, each once.
    """

    def __init__(self, getters: Iterable[Mapping[Place, Getter]]) -> None:
        """``getters``: what reads each place, as ``Places.getters`` does."""
        every = {place: getter for by_place in getters for place, getter in by_place.items()}
        self.places = list(every)
        self._getters = list(every.values())
        names: dict[str, Any] = {f"get{index}": get for index, get in enumerate(self._getters)}
        values = [_expression(place) or f"get{index}(document, shared)" for index, place in enumerate(self.places)]
        self._of_event = any(name == "event" for name, _, _ in self.places)
        # One expression takes a tenth of the time of a call for each place. Of the pipeline file, only names of fields
        # are in it, as literals.
        code = f"lambda document, shared, annotations, event: ({''.join(f'{value}, ' for value in values)})"
        self._read: Callable[..., tuple[Any, ...]] = eval(code, {**names, "MISSING": MISSING, "NONE": {}})  # noqa: S307

    def __call__(self, document: Document, shared: Shared) -> tuple[Any, ...]:
        """Return the values at the places."""
        event = document.fields
        if event.__class__ is dict or not self._of_event:
            try:
                return self._read(document, shared, document.annotations, event)
            except (KeyError, AttributeError):  # a task did not run, or something in the event is no object
                pass
        return tuple([get(document, shared) for get in self._getters])


def _expression(place: Place) -> str | None:
    """Return an expression for what is at ``place``, for the commonest of them; it fails if it does not apply."""
    name, steps, kind = place
    if kind == "field":
        return f"annotations[{name!r}][{steps[0]!r}]"
    if not steps and kind == "value" and name in _OF_DOCUMENT:
        return _OF_DOCUMENT[name]
    if name != "event" or not steps or not all(isinstance(step, str) for step in steps):
        return None
    if kind == "has" and len(steps) == 1:
        return f"{steps[0]!r} in event"
    if kind == "value":
        return "event" + "".join(f".get({step!r}, NONE)" for step in steps[:-1]) + f".get({steps[-1]!r}, MISSING)"
    return None


def _getter(name: str, steps: Steps, kind: str, lookup: Lookup) -> Getter:
    """Return what reads a place: its value, its size, or whether it is there."""

    def value(document: Document, shared: Shared) -> Any:
        if name not in _MADE:
            return lookup(name, document)
        if name not in shared:
            shared[name] = lookup(name, document)
        return shared[name]

    def at_place(document: Document, shared: Shared) -> Any:
        try:
            return follow(steps, value(document, shared))
        except LookupError:
            return MISSING

    def size(document: Document, shared: Shared) -> Any:
        measured = at_place(document, shared)
        return len(measured) if isinstance(measured, str | list | dict) else MISSING

    def has(document: Document, shared: Shared) -> Any:
        try:
            parent = follow(steps[:-1], value(document, shared))
        except LookupError:
            return MISSING
        return steps[-1] in parent if isinstance(parent, dict) and isinstance(steps[-1], str) else MISSING

    if name == "event" and kind != "size" and steps and all(isinstance(step, str) for step in steps):
        return _in_event(steps) if kind == "value" else _in_event(steps[:-1], steps[-1])
    if kind in {"value", "field"}:
        return at_place if steps else value
    return size if kind == "size" else has


def _in_event(steps: Steps, last: str | int | None = None) -> Getter:
    """Return a quicker way to read a place in the event that only names lead to: its value, or whether it has ``last``.

    What is no object cannot be asked for a name.
    """

    def value(document: Document, _: Shared) -> Any:
        node = document.fields
        try:
            for step in steps:
                node = node[step]
        except (LookupError, TypeError):
            return MISSING
        return node

    def has(document: Document, shared: Shared) -> Any:
        parent = value(document, shared)
        return last in parent if isinstance(parent, dict) else MISSING

    return value if last is None else has
