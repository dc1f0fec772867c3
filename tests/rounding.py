"""Comparing events whose scores differ a little between processors."""

from __future__ import annotations

from typing import Any

import pytest


def rounded(value: Any) -> Any:
    """``value`` with each score replaced by what equals all scores close to it."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return pytest.approx(value, abs=0.01) if isinstance(value, float) else value
