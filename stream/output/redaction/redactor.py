"""Redacts the documents of one configuration, and its tombstones."""

from __future__ import annotations

from schemas.document import Document
from schemas.errors import RedactError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Operator
from schemas.record import Headers, Record
from stream.output.redaction.keys import Keys
from stream.output.redaction.plan import Plan
from stream.output.redaction.redacted import Redacted


class Redactor:
    """Redacts the documents of one configuration. Any thread may use it. ``plan`` is what it was compiled to."""

    def __init__(self, pipeline: Pipeline, keys: Keys) -> None:
        """``pipeline`` has a section ``redact``; ``keys``: those that its operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        self.plan = Plan(pipeline, keys)

    def delete(self, record: Record) -> tuple[bytes | None, Headers]:
        """Return the key and the headers of a tombstone. Raises RedactError."""
        replacements, redactor = self.plan.operators.event(), self.plan.record

        def replace(operator: Operator, _: str, value: str) -> str:
            return replacements.replacement(operator, "", value)

        try:
            return redactor.key(record.key, None, replace), redactor.headers(record.headers or [], None, replace)
        except Exception as error:
            raise _failed(error) from None

    def redact(self, document: Document) -> Redacted:
        """Redact a document that has not failed; the document itself stays as it is.

        Raises RedactError, whose message contains no text of the event, if anything fails.
        """
        try:
            return Redacted(self.plan, document)
        except RedactError:
            raise
        except Exception as error:
            raise _failed(error) from None


def _failed(error: Exception) -> RedactError:
    # Only the class: the message may quote the event.
    return RedactError(f"the event cannot be redacted ({type(error).__name__})")
