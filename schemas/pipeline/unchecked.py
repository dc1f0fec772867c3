"""Values of a pipeline file that are not checked yet, and so may be of any type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_list(value: Any) -> list[Any]:
    """Return ``value`` if it is a list, otherwise an empty list; another check reports the wrong type."""
    return value if isinstance(value, list) else []


def as_table(value: Any) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping, otherwise an empty mapping; another check reports the wrong type."""
    return value if isinstance(value, Mapping) else {}
