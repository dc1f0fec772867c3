"""The order of tests for pytest-xdist's ``--dist worksteal``."""

from __future__ import annotations

import pytest


def spread(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return ``items`` so ordered that each of the blocks which the workers begin with has its share of the long tests.

    A worker starts with an equal block of consecutive tests, and steals from the ends of other blocks when it is done:
    so the long tests come first in each block, and what is left to steal is short. Short tests keep their order, as
    they share fixtures with their neighbours, and so do long tests in the same ``xdist_group``; the largest groups come
    first, because nobody helps a worker that is left with one.
    """
    groups: dict[object, list[pytest.Item]] = {}
    for item in filter(_is_long, items):
        groups.setdefault(_group(item), []).append(item)
    units = sorted(groups.values(), key=len, reverse=True)
    shares = [[item for unit in units[number::workers] for item in unit] for number in range(workers)]
    short = [item for item in items if not _is_long(item)]
    size, larger = divmod(len(items), workers)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        block = size + (number < larger)
        fill = max(0, block - len(share))
        ordered += share + short[:fill]
        del short[:fill]
    return ordered + short


def _is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("integration", "slow"))


def _group(item: pytest.Item) -> object:
    marker = item.get_closest_marker("xdist_group")
    return marker.args[0] if marker else item.nodeid
