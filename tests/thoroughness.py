"""How many examples hypothesis tries, and how long the longest texts are."""

from __future__ import annotations

from hypothesis import settings

_DEFAULT = 100


def examples(count: int) -> int:
    """What to give as ``max_examples``: ``count``, or less by as much as the loaded profile tries less than usual."""
    return max(count * settings().max_examples // _DEFAULT, 1)


def length(count: int) -> int:
    """The length of a text that would take too long if time grew faster than it: ``count``, or less as ``examples``."""
    return examples(count)
