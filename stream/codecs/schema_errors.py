"""What is wrong with a schema, whatever its format."""

from __future__ import annotations


class UnusableSchemaError(ValueError):
    """The text is not a schema, or one that cannot be used safely. The message says why, and quotes nothing."""
