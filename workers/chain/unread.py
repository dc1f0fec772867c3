"""Texts that a task's model has not read, because its tokenizer knows too little of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.document import Failure
from schemas.errors import TokenizeError
from schemas.pipeline.tasks import TaskConfig
from workers.encoder.reading import Reading
from workers.tasks.scores import DECIMALS


def unread_notice(config: TaskConfig, readings: Sequence[Reading]) -> dict[str, Any] | None:
    """Return the notice for an event if more of a text is unknown than ``max_unknown``; None otherwise.

    Of a task that reads several texts, the one with the largest unknown share counts.
    """
    share = max((reading.unknown for reading in readings), default=0.0)
    if share <= config.max_unknown:
        return None
    return {"task": config.name, "kind": "unread", "share": round(share, DECIMALS)}


def unread_failure(config: TaskConfig, notice: dict[str, Any]) -> Failure:
    """Return why an event with ``notice`` becomes a dead letter, as ``unknown_text: dead_letter`` requests."""
    error = TokenizeError(
        f"the model's tokenizer does not know {notice['share']:.0%} of a text, and max_unknown is "
        f"{config.max_unknown:g}"
    )
    return Failure.of(error, "tokenize", config.name)
