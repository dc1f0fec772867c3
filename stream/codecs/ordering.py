"""The order in which the parts of a schema can be looked at so that each is after those that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def ordered(below: Mapping[T, Sequence[T]]) -> tuple[list[T], bool]:
    """Return the keys so that each is after those below it, and whether one is below itself, where that cannot be.

    Nothing is called recursively: chains may have any length.
    """
    order: list[T] = []
    circular = False
    done: dict[T, bool] = {}  # whether it is in the order already
    for first in below:
        if first in done:
            continue
        done[first] = False
        around = [(first, iter(below[first]))]
        while around:
            key, rest = around[-1]
            following = next((other for other in rest if not done.get(other, False)), None)
            if following is None:
                around.pop()
                done[key] = True
                order.append(key)
            elif following in done:
                circular = True
            else:
                done[following] = False
                around.append((following, iter(below[following])))
    return order, circular
