"""Where an event goes, and what of it goes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from schemas.condition_group import ConditionGroup
from schemas.condition_places import WHOLE, Known, Reader, Shared
from schemas.conditions import Condition
from schemas.document import Document
from schemas.errors import ConditionError, RouteError
from schemas.paths import follow, parse_path
from schemas.pipeline.outputs import Output, Route
from schemas.record import Headers, Record
from stream.output.shapes.shapers import shape_key


@dataclass(frozen=True, slots=True)
class View:
    """How much of an event one topic gets.

    Attributes:
        text: ``none`` leaves out ``text``, ``event`` and the text of spans; in ``redacted``, personal data is replaced.
        annotations: the names of the tasks whose annotations are in the event; None for all.
        shape: the key of what the topic gets in place of the enriched event; None for the event.
    """

    text: Literal["original", "none", "redacted"] = "original"
    annotations: frozenset[str] | None = None
    shape: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A topic that gets events.

    Attributes:
        topic: its name.
        view: how much of an event it gets.
        name: the route's name; None for ``output.topic``, which gets what no route takes.
        path: the path of the value that becomes the key; None if the record keeps its key.
        steps: the same as steps.
        headers: what to add to the record's headers, in place of those with the same names.
        encoded: whether its events are not plain JSON, but encoded by the encoder of that name.
    """

    topic: str
    view: View
    name: str | None = None
    path: str | None = None
    steps: Sequence[str | int] = ()
    headers: tuple[tuple[str, bytes], ...] = ()
    encoded: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether its records are plain JSON with the key and the headers of the input."""
        return not (self.path or self.headers or self.encoded)

    def key_of(self, document: Document, record: Record | None) -> bytes | None:
        """Return the key of the record to send. Raises RouteError if the event has no value that can be one.

        ``record`` is the source record of ``document``, None if it has none.
        """
        if self.path is None:
            return None if record is None else record.key
        return _key(self, document)

    def headers_of(self, headers: Headers) -> Headers:
        """Return the headers of the record to send; ``headers`` are those of the source record."""
        if not self.headers:
            return headers
        replaced = {name for name, _ in self.headers}
        return [*(header for header in headers if header[0] not in replaced), *self.headers]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an event.

    Attributes:
        targets: where it goes, in the order of the routes; empty if it is dropped.
        routed: the names of the routes that took it, those that send a copy or drop it included.
        views: the views of the targets, each once, so that each is built once.
        numbers: for each target, which of ``views`` it gets.
        only: the only target, if its records are plain JSON with the key and headers of the input; otherwise None.
    """

    targets: tuple[Target, ...]
    routed: tuple[str, ...]
    views: tuple[View, ...]
    numbers: tuple[int, ...]
    only: Target | None


class Router:
    """The routes of one configuration. Any thread may use it.

    Attributes:
        reads_fields: whether a condition or a key needs ``Document.fields``.
        deletes: the topics that a tombstone is passed on to: all in which records have the keys of the input, or what
            ``redact`` makes of them.
        original: those of ``deletes`` that get the original keys. hidden: those that get the redacted ones.
        views: the name of each route that publishes -> what it publishes.
    """

    def __init__(self, output: Output) -> None:
        self._rest = Target(output.topic, view_of(output), encoded=output.format_of(None) is not None)
        self._routes: list[_Route] = []
        self.reads_fields = False
        for route in output.routes or ():
            condition = Condition(route.when) if route.when else None
            self._routes.append(_Route(route.label, condition, _target(route, output), not route.copies))
            self.reads_fields |= route.key is not None or (condition is not None and "event" in condition.names)
        keyed = (route.topic for route in output.routes or () if route.topic and route.key is None)
        self.deletes = tuple(dict.fromkeys([output.topic, *keyed]))
        views = [(route.topic, route.text or output.text) for route in output.routes or () if route.key is None]
        views.append((output.topic, output.text))
        self.original = frozenset(topic for topic, text in views if text == "original")
        self.hidden = frozenset(topic for topic, text in views if text != "original")
        self.views = {route.name: route.target.view for route in self._routes if route.target is not None}
        self._group = ConditionGroup(route.condition for route in self._routes if route.condition is not None)
        self._decisions: dict[tuple[int, ...], Decision] = {}
        getters = [route.condition.getters for route in self._routes if route.condition is not None]
        self._read = Reader(by_place for by_place in getters if by_place is not None)
        self._known: Known[Decision] | None = None if None in getters else Known(self._read.places)

    def decide(self, document: Document) -> Decision:
        """Return what becomes of ``document``, which has not failed.

        Raises RouteError if a condition that has to be evaluated fails.
        """
        shared: Shared = {}
        if self._known is None or document.replaced is not None:
            return self._evaluate(document, shared)
        values = self._read(document, shared)
        decision = self._known.get(values)
        if decision is None:
            decision = self._evaluate(document, shared)
            if WHOLE not in shared:
                self._known.put(values, decision)
        return decision

    def _evaluate(self, document: Document, shared: Shared) -> Decision:
        taken = []
        results = self._group.results(document, shared)
        for index, route in enumerate(self._routes):
            if route.takes(document, shared, results):
                taken.append(index)
                if route.final:
                    break
        key = tuple(taken)
        return self._decisions.get(key) or self._decisions.setdefault(key, self._decision(key))

    def _decision(self, taken: tuple[int, ...]) -> Decision:
        """Return what becomes of the events that the routes of these numbers take."""
        routes = [self._routes[index] for index in taken]
        targets = [route.target for route in routes if route.target is not None]
        if not (routes and routes[-1].final):
            targets.append(self._rest)
        views = tuple(dict.fromkeys(target.view for target in targets))
        numbers = tuple(views.index(target.view) for target in targets)
        only = targets[0] if len(targets) == 1 and targets[0].is_plain else None
        return Decision(tuple(targets), tuple(route.name for route in routes), views, numbers, only)


def view_of(output: Output) -> View:
    """Return the view of ``output.topic``."""
    return View(output.text, None, shape_key(output.shape_of(None)))


def router(output: Output) -> Router | None:
    """Return the router of a pipeline's ``output``, None if it has no routes."""
    return Router(output) if output.routes else None


@dataclass(frozen=True, slots=True)
class _Route:
    """A route, compiled. ``target`` is None if it drops; a final route ends the evaluation if it takes an event."""

    name: str
    condition: Condition | None
    target: Target | None
    final: bool

    def takes(self, document: Document, shared: Shared, results: Mapping[Condition, bool]) -> bool:
        """Whether it takes ``document``; ``results`` are those of conditions that were evaluated already."""
        if self.condition is None:
            return True
        if (known := results.get(self.condition)) is not None:
            return known
        try:
            return self.condition.holds_for(document, shared)
        except ConditionError as error:
            raise RouteError(self.name, str(error)) from None


def _target(route: Route, output: Output) -> Target | None:
    if route.topic is None:
        return None
    annotations = None if route.annotations is None else frozenset(route.annotations)
    return Target(
        route.topic,
        View(route.text or output.text, annotations, shape_key(output.shape_of(route))),
        route.label,
        route.key,
        () if route.key is None else parse_path(route.key),
        tuple((name, value.encode()) for name, value in (route.headers or {}).items()),
        output.format_of(route) is not None,
    )


_UNFIT = {dict: "an object", list: "an array", bool: "a boolean", type(None): "null", float: "a fraction"}


def _key(target: Target, document: Document) -> bytes:
    """Return the key that a route takes from the event. Raises RouteError, which never quotes the value."""
    refuse = partial(RouteError, target.name or "")
    try:
        value = follow(target.steps, document.fields)
    except LookupError:
        raise refuse(f"there is no value for the key at {target.path}") from None
    if document.replaced is not None and document.replaced.touches(target.steps):
        raise refuse(f"the key at {target.path} is a value that JSON cannot represent")
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode()
    raise refuse(f"the key at {target.path} is {_UNFIT[type(value)]}, not text or a whole number")
