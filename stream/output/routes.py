"""Where an event goes, and what of it goes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class View:
    """How much of an event one topic gets.

    Attributes:
        text: ``none`` leaves out ``text``, ``event`` and the text of spans.
        annotations: the names of the tasks whose annotations are in the event; None for all.
    """

    text: Literal["original", "none"] = "original"
    annotations: frozenset[str] | None = None
