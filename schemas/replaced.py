"""Which values of an event the codec has replaced because common readers of JSON would refuse them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.paths import Steps, jsonpath

MOST_PATHS = 16
"""Paths that the notice in the enriched event names."""

_MOST_PLACES = 256


class Replaced:
    """The values of one event that were replaced. Belongs to the event's document.

    - ``count``: how many there are.
    - ``paths``: the first ``MOST_PATHS`` of them, as JSONPath; a long path is cut and ends with "…".
    """

    __slots__ = ("_numbers", "_places", "count", "paths")

    def __init__(self) -> None:
        self.count = 0
        self.paths: list[str] = []
        self._places: set[Steps] = set()
        self._numbers: set[Steps] = set()

    def add(self, steps: Sequence[str | int], *, number: bool = False) -> None:
        """Record that the value at ``steps``, or the last name in it, was replaced; ``number``: it was a number."""
        self.count += 1
        if len(self.paths) < MOST_PATHS:
            self.paths.append(jsonpath(steps))
        # Beyond the limit, any use of the event counts as a use of a replaced value.
        place = tuple(steps) if len(self._places) < _MOST_PLACES else ()
        self._places.add(place)
        if number:
            self._numbers.add(place)

    def touches(self, steps: Sequence[str | int]) -> bool:
        """Return whether the value at ``steps`` was replaced, contains a replaced value, or is part of one."""
        for place in self._places:
            shared = min(len(place), len(steps))
            if place[:shared] == tuple(steps[:shared]):
                return True
        return False

    def was_number(self, steps: Steps) -> bool:
        """Return whether the string at ``steps`` is a number that was replaced."""
        return steps in self._numbers

    def notice(self) -> dict[str, object]:
        """Return the notice for the enriched event."""
        return {"kind": "replaced", "paths": self.paths, "count": self.count}
