"""How many examples hypothesis tries."""

from __future__ import annotations

from hypothesis import settings

_DEFAULT = 100


def examples(count: int) -> int:
    """What to give as ``max_examples``: ``count``, or less by as much as the loaded profile tries less than usual."""
    return max(count * settings().max_examples // _DEFAULT, 1)
