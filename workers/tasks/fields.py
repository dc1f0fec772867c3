"""Values that tasks use from an event besides its text. Every function raises FieldError, and no other error."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from schemas.document import Document
from schemas.errors import FieldError
from schemas.paths import follow, parse_path

LONGEST = 1_000_000
"""The most characters of a field that a model reads."""
MOST = 256
"""The most entries of a list in a field."""

_steps = lru_cache(maxsize=256)(parse_path)


def value(document: Document, path: str) -> Any:
    """Return the value at ``path`` in the event.

    Raises FieldError if there is none, or if it is or contains one that the codec has replaced.
    """
    steps = _steps(path)
    try:
        field = follow(steps, document.fields)
    except LookupError:
        raise FieldError(f"there is nothing at {path}") from None
    if document.replaced is not None and document.replaced.touches(steps):
        raise FieldError(f"the value at {path} is or contains what JSON cannot represent")
    return field


def text(document: Document, path: str | None) -> str:
    """Return the text at ``path``, or the document's text if ``path`` is None.

    Raises:
        FieldError: if the value is missing, not a text, empty, or longer than ``LONGEST``.
    """
    if path is None:
        return document.text
    field = value(document, path)
    if not isinstance(field, str):
        raise FieldError(f"the value at {path} is not a text")
    return checked(field, path)


def checked(field: str, path: str) -> str:
    """Return ``field``, the text at ``path``. Raises FieldError if it is empty, white space, or too long."""
    if not field or field.isspace():
        raise FieldError(f"the text at {path} is empty")
    if len(field) > LONGEST:
        raise FieldError(f"the text at {path} has {len(field)} characters, the limit is {LONGEST}")
    return field


def texts(document: Document, path: str) -> list[str]:
    """Return the texts at ``path``, where the event has one text or a list of texts.

    Raises:
        FieldError: if the value is missing or anything else, if the list is empty or has over ``MOST`` entries, or if
            a text is empty or too long.
    """
    field = value(document, path)
    if isinstance(field, str):
        return [checked(field, path)]
    if not isinstance(field, list) or not field or not all(isinstance(entry, str) for entry in field):
        raise FieldError(f"the value at {path} is neither a text nor a list of texts")
    if len(field) > MOST:
        raise FieldError(f"the list at {path} has {len(field)} entries, the limit is {MOST}")
    return [checked(entry, path) for entry in field]
