"""Which version of glossator this is."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """Return the installed version; words in parentheses if only the sources are there."""
    try:
        return metadata.version("glossator")
    except metadata.PackageNotFoundError:
        return "(run from its sources, not installed)"
