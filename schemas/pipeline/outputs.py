"""The models of ``output``: the topics to write, and what enriched events contain."""

from __future__ import annotations

from typing import Annotated, Literal

from schemas.pipeline.fields import NotYet, Strict, TopicName, later


class Output(Strict):
    """The topics to write, and what enriched events contain."""

    topic: TopicName
    """Topic of the enriched events; must not be an input topic."""
    dead_letter: TopicName | None = None
    """Topic of the dead letters; default: the output topic with ``.dead`` appended."""
    text: Annotated[Literal["original", "none"], later("redacted")] = "original"
    """``none`` omits ``text``, ``event`` and the text of spans from enriched events."""
    offset_unit: Annotated[Literal["code_point"], later("utf16", "utf8")] = "code_point"
    """The unit of ``start`` and ``end`` of spans."""
    routes: NotYet = None
    """Reserved: conditions that choose other topics."""

    @property
    def dead_letter_topic(self) -> str:
        """The topic of the dead letters, with the default filled in."""
        return self.dead_letter or f"{self.topic}.dead"
