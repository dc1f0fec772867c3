"""What tasks read of an event beside its text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from schemas.document import Document
from schemas.errors import FieldError
from schemas.pipeline.fields import follow, parse_path

LONGEST = 1_000_000
"""Characters a field may have that a model shall read."""
MOST = 256
"""Entries a list of a field may have."""

_steps = lru_cache(maxsize=256)(parse_path)


def value(document: Document, path: str) -> Any:
    """What stands at ``path`` of the event. Raises FieldError when nothing does."""
    try:
        return follow(_steps(path), document.fields)
    except LookupError:
        raise FieldError(f"there is nothing at {path}") from None


def text(document: Document, path: str | None) -> str:
    """The text at ``path``; without one the document's own. Raises FieldError when it is none, or empty."""
    if path is None:
        return document.text
    found = value(document, path)
    if not isinstance(found, str):
        raise FieldError(f"what stands at {path} is no text")
    return checked(found, path)


def checked(found: str, path: str) -> str:
    if not found or found.isspace():
        raise FieldError(f"the text at {path} is empty")
    if len(found) > LONGEST:
        raise FieldError(f"the text at {path} has {len(found)} characters, the most is {LONGEST}")
    return found


def texts(document: Document, path: str) -> list[str]:
    """The texts at ``path``, which may be one or a list. Raises FieldError for anything else, or none."""
    found = value(document, path)
    if isinstance(found, str):
        return [checked(found, path)]
    if not isinstance(found, list) or not found or not all(isinstance(entry, str) for entry in found):
        raise FieldError(f"what stands at {path} is neither a text nor a list of texts")
    if len(found) > MOST:
        raise FieldError(f"the list at {path} has {len(found)} entries, the most is {MOST}")
    return [checked(entry, path) for entry in found]
