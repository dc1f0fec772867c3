"""Helpers that run events with fields through a chain, and check that a bad event fails alone."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from schemas.document import Document
from schemas.event import EnrichedEvent
from tests.workers.chain.test_chain import close
from workers.chain.chain import Chain

SECRET = "heliotrope"
"""A word in texts that no message may quote."""
TEXT = "Angela Merkel praised the coffee"

_ANNOTATIONS: TypeAdapter[Any] = TypeAdapter(cast(Any, EnrichedEvent.model_fields["annotations"].annotation))


def event(text: str = TEXT, **fields: Any) -> Document:
    return Document(None, text, b"{}", fields={"text": text, **fields})


def run(chain: Chain, *documents: Document) -> list[dict[str, Any]]:
    """Return the annotations, validated against the contract; no event may have failed."""
    chain.run(documents)
    for document in documents:
        if document.failure is not None:
            # Not an AssertionError, which would look like a failed comparison.
            pytest.fail(f"{document.failure.task}: {document.failure.message}")
        _ANNOTATIONS.validate_python(document.annotations, strict=True)
    return [document.annotations for document in documents]


def fails_alone(chain: Chain, good: dict[str, Any], bad: Document, stage: str, says: str, task: str = "t") -> None:
    """Check that ``bad`` fails with its reason and without quoting text, and that its two neighbours are annotated."""
    (wanted,) = run(chain, event(**good))
    before, after = event(**good), event(**good)
    chain.run([before, bad, after])
    assert before.failure is after.failure is None
    assert close([before.annotations, after.annotations], [wanted, wanted])
    assert bad.failure is not None
    assert (bad.failure.stage, bad.failure.task) == (stage, task)
    assert says in bad.failure.message
    assert SECRET not in bad.failure.message
