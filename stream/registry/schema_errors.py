"""What is wrong with a schema, whatever its format."""

from __future__ import annotations


def kind_of(error: Exception) -> str:
    """Return the class of a foreign exception as the end of a message: its own message may quote the value.

    Protobuf's only class is called like ours, which every dead letter names anyway, so it is left out.
    """
    name = type(error).__name__
    return "" if name == "DecodeError" else f" ({name})"


class UnusableSchemaError(ValueError):
    """The text is not a schema, or one that cannot be used safely. The message says why, and quotes nothing."""
