"""The events of a round and the annotations of the pretended model; both depend on their inputs alone."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Fate = Literal["enriched", "dead"]
Kind = Literal["plain", "poison", "tombstone", "rubbish", "large", "huge"]

POISON = "poison"
"""A text that contains this word fails in the forward."""
MAX_BYTES = 700_000
"""``input.max_bytes``: a huge event is rejected when it is decoded, a large one only when its output is produced."""
_LARGE, _HUGE = 600_000, 800_000
_KEYS = 97
_WORDS = ["the", "river", "took", "what", "nobody", "had", "asked", "it", "to", "carry", "and", "left", "stones"]
COPIED, DROPPED = 3, 5
"""Of a round with routes: every third event is copied, and of every fifth nothing else is published."""
UNUSUAL: tuple[Kind, ...] = ("poison", "tombstone", "rubbish", "large", "huge")


class Event(NamedTuple):
    """One event to be sent. ``number`` counts all events of a round, so it increases within a key."""

    number: int
    key: bytes
    value: bytes | None
    kind: Kind

    @property
    def fate(self) -> Fate:
        return "enriched" if self.kind == "plain" else "dead"

    def goes_to(self, routes: bool) -> frozenset[str]:
        """Return where the event must be once: ``out``, ``copy`` or ``dead``. ``routes``: the round has ``ROUTES``.

        Of a large event, the copy is small, because it has no text.
        """
        if not routes or self.kind not in {"plain", "large"}:
            return frozenset({"out" if self.fate == "enriched" else "dead"})
        copies = {"copy"} if self.number % COPIED == 0 else set()
        rest = "out" if self.kind == "plain" else "dead"
        return frozenset(copies if self.number % DROPPED == 1 else {*copies, rest})


def routes(topic: str) -> list[dict[str, Any]]:
    """Return the routes that ``Event.goes_to`` describes; ``topic`` gets the copies."""
    return [
        {"when": f"event.id % {COPIED} == 0", "topic": topic, "copy": True, "name": "copy", "text": "none"},
        {"when": f"event.id % {DROPPED} == 1", "drop": True},
    ]


def annotation(text: str) -> dict[str, Any]:
    """Return the model's annotation of ``text``."""
    score = zlib.crc32(text.encode()) / 2**32
    label = "positive" if score > 0.5 else "negative"
    return {"label": label, "score": score, "scores": {"positive": score, "negative": 1 - score}}


def events(seed: str) -> Iterator[Event]:
    """Yield plain events without end."""
    rng = random.Random(seed)
    number = 0
    while True:
        text = f"{number}: {' '.join(rng.choices(_WORDS, k=rng.randint(3, 20)))}"
        yield Event(number, _key(rng), _json(number, text), "plain")
        number += 1


def unusual(seed: str, number: int, kind: Kind) -> Event:
    """Return event ``number``, made so that it becomes a dead letter."""
    rng = random.Random(f"{seed}/{number}")
    value: bytes | None
    if kind == "tombstone":
        value = None
    elif kind == "rubbish":
        value = rng.randbytes(20) + b"\xff"
    elif kind == "poison":
        value = _json(number, f"{number}: {POISON}")
    else:
        value = _json(number, rng.randbytes((_LARGE if kind == "large" else _HUGE) // 2).hex())
    return Event(number, _key(rng), value, kind)


def _key(rng: random.Random) -> bytes:
    return b"key-%d" % rng.randrange(_KEYS)


def _json(number: int, text: str) -> bytes:
    return json.dumps({"id": number, "text": text}).encode()
