"""What a shape is asked for, and what it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from schemas.document import Annotation
from stream.output.units import Unit


class Published(NamedTuple):
    """What a shape may use of an event: no more than the enriched event of the same topic would show.

    - ``id``: the event's id.
    - ``text``: the text that offsets count characters of; not to be published itself.
    - ``unit``: what offsets in ``annotations`` count.
    - ``annotations``: task name -> annotation, in the shape of the public event.
    - ``event``: the input's JSON; None if the topic gets no text, or the input is not JSON.
    """

    id: str
    text: str
    unit: Unit
    annotations: Mapping[str, Annotation]
    event: bytes | None


class Shaper(Protocol):
    """Makes the values of one shape. Any thread may use it."""

    def shape(self, published: Published) -> dict[str, Any]:
        """Return the value, to be written as JSON. Raises EncodeError if the event does not allow one."""


def judgements(annotations: Mapping[str, Annotation], tasks: Sequence[str]) -> Iterator[Annotation]:
    """Yield the annotations of those of ``tasks`` that have judged the event, in their order."""
    for name in tasks:
        annotation = annotations.get(name)
        if annotation is not None and isinstance(annotation.get("labels"), list):
            yield annotation
