"""A value that does not fit a schema, in whatever format."""

from __future__ import annotations


class UnfitError(Exception):
    """A value does not fit its type; ``steps`` is where it is, the innermost first. The message quotes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.steps: list[str | int] = []
