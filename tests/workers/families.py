"""Which families of encoders the fast suite tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

FAST = ("bert", "modernbert", "deberta-v2")
"""One that has absolute positions, one that has rotary ones and local attention, and one that has to be padded."""


def slow_but_for_some(cases: Iterable[Any], fast: Collection[str] = FAST) -> list[Any]:
    """``cases`` of ``parametrize``, families or tuples that begin with one: all but those of ``fast`` marked slow."""
    return [
        case if (family := case if isinstance(case, str) else case[0]) in fast else _slow(case, family)
        for case in cases
    ]


def _slow(case: Any, family: str) -> Any:
    values = [case] if isinstance(case, str) else case
    return pytest.param(*values, marks=[pytest.mark.slow, pytest.mark.xdist_group(family)])
