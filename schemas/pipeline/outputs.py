"""The models of ``output``: the topics to write, which events go where, and what enriched events contain."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from schemas.pipeline.fields import TOPIC, JsonPath, Name, Strict, Text, TopicName
from schemas.pipeline.formats import AnyOutputFormat, OutputFormat
from schemas.pipeline.shapes import AnyShape, Shape

RouteName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=249)]


def _is_mapping(value: Any) -> str:
    return "<map>" if isinstance(value, dict | Strict) else "<scalar>"


class Route(Strict):
    """Which events go to which topic, and what of them. Either ``topic`` or ``drop`` is required."""

    when: Text | None = None
    """A condition in CEL that sees the event and all annotations. None: every event."""
    topic: TopicName | None = None
    """The topic of the events that the route takes; must not be an input topic."""
    name: RouteName | None = None
    """The route's name in events, metrics and dead letters; default: its topic, or ``drop``."""
    copies: Annotated[bool, Field(alias="copy")] = False
    """The route sends one more copy, and the following routes decide as if it had not."""
    drop: bool = False
    """Nothing is published of the events that the route takes, apart from copies that earlier routes send."""
    text: Literal["original", "none", "redacted"] | None = None
    """As ``output.text``, for this route. None: as ``output`` says."""
    annotations: list[Name] | None = None
    """The tasks whose annotations are in the event. None: all."""
    shape: AnyShape | None = None
    """As ``output.shape``, for this route. None: as ``output`` says."""
    key: JsonPath | None = None
    """The path of the value that becomes the record's key, text or a whole number. None: the input's key."""
    format: AnyOutputFormat | None = None
    """As ``output.format``, for this route. None: as ``output`` says."""
    headers: Annotated[dict[Text, str], Field(min_length=1)] | None = None
    """Headers to add; each replaces those of the input that have its name."""

    @property
    def label(self) -> str:
        """The route's name, with the default filled in."""
        return self.name or self.topic or "drop"


class DeadLetter(Strict):
    """The topic of the dead letters, and what they keep of the original record."""

    topic: TopicName | None = None
    """The topic; default: the output topic with ``.dead`` appended."""
    text: Literal["original", "none", "encrypted"] = "original"
    """``original``: the record's value, key and headers as they are. ``encrypted``: an envelope that the first of
    ``redact.keys.encrypt`` seals. ``none``: only where the original is, and why it failed."""


class Output(Strict):
    """The topics to write, and what enriched events contain."""

    topic: TopicName
    """Topic of the enriched events that no route takes; must not be an input topic."""
    dead_letter: (
        Annotated[
            Annotated[TopicName, Tag("<scalar>")] | Annotated[DeadLetter, Tag("<map>")], Discriminator(_is_mapping)
        ]
        | None
    ) = None
    """Topic of the dead letters, or a mapping that also says what they keep; default: the output topic with ``.dead``
    appended, and the whole original."""
    text: Literal["original", "none", "redacted"] = "original"
    """``none`` omits ``text``, ``event`` and the text of spans from enriched events. In ``redacted``, personal data is
    replaced as ``redact`` says."""
    format: AnyOutputFormat = "json"
    """How the values are encoded. ``json``: the enriched event as JSON. ``cloudevents``: a CloudEvent 1.0."""
    shape: AnyShape = "event"
    """``event``: the enriched event. ``perspective``, ``openai``: the answer of that service about the text, for
    consumers that read such answers. ``osprey``: an action of Osprey with the enriched event in it."""
    offset_unit: Literal["code_point", "utf16", "utf8"] = "code_point"
    """The unit of ``start`` and ``end`` of spans, and of all other numbers of characters."""
    original_offsets: bool = False
    """With ``text: redacted``: whether spans also have ``original_start`` and ``original_end``, their place in the text
    that was read."""
    disagreements: TopicName | None = None
    """Topic of a copy of each event about which a task and its shadow disagree, with both annotations. Default: none,
    they are only counted."""
    routes: Annotated[list[Route], Field(min_length=1, max_length=64)] | None = None
    """Conditions that choose other topics, 1 to 64 routes in the order in which they are tried."""

    @property
    def dead_letter_topic(self) -> str:
        """The topic of the dead letters, with the default filled in."""
        topic = self.dead_letter.topic if isinstance(self.dead_letter, DeadLetter) else self.dead_letter
        return topic or f"{self.topic}.dead"

    @property
    def dead_letter_text(self) -> Literal["original", "none", "encrypted"]:
        """What dead letters keep of the original record."""
        return self.dead_letter.text if isinstance(self.dead_letter, DeadLetter) else "original"

    def format_of(self, route: Route | None) -> OutputFormat | None:
        """Return how the events of ``route`` (None: of ``topic``) are encoded; None for plain JSON."""
        chosen = self.format if route is None or route.format is None else route.format
        return None if chosen == "json" else chosen

    def shape_of(self, route: Route | None) -> Shape | None:
        """Return the shape of what ``route`` (None: ``topic``) publishes; None for the enriched event."""
        chosen = self.shape if route is None or route.shape is None else route.shape
        return None if chosen == "event" else chosen

    @property
    def written(self) -> list[str]:
        """Return every topic that the pipeline writes, that of the dead letters last, each once."""
        more = [self.disagreements] if self.disagreements else []
        return list(dict.fromkeys([*self.topics, *more, self.dead_letter_topic]))

    @property
    def topics(self) -> list[str]:
        """The topics of enriched events, those of routes too, each once."""
        return list(dict.fromkeys([self.topic, *(route.topic for route in self.routes or () if route.topic)]))
