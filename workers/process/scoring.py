"""Scores texts or events with a moderation of a pipeline, without Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from schemas.document import Document, Failure
from schemas.paths import EVERYWHERE, parse_pattern
from schemas.pipeline.config import Input, Pipeline
from schemas.pipeline.trial import put
from schemas.record import Assignment, Record
from stream.codecs.formats import codec, event_codec

if TYPE_CHECKING:  # importing torch takes seconds, and nothing here needs it
    from workers.chain.chain import Chain

TOGETHER = 256
"""Texts that are one micro-batch."""


def scores(
    pipeline: Pipeline, chain: Chain, task: str, inputs: Sequence[str | dict[str, Any] | None]
) -> Iterator[dict[str, float] | Failure | None]:
    """Yield, for each input, label -> score of the moderation ``task``; None if it did not run, or the failure.

    ``inputs``: texts, or events as JSON objects. Raises DeviceError.
    """
    # An event is the JSON in the envelope of input.format, as glossator try takes it.
    decoder = (codec if pipeline.input.format == "text" else event_codec)(pipeline.input, chain.reads_fields)
    for start in range(0, len(inputs), TOGETHER):
        values = [value_of(each, pipeline.input) for each in inputs[start : start + TOGETHER]]
        documents = [
            decoder.decode(Record(Assignment(pipeline.reads.example, 0), start + number, None, value))
            for number, value in enumerate(values)
        ]
        chain.run(documents)
        for document in documents:
            yield document.failure or _of(document, task)


def value_of(given: str | dict[str, Any] | None, config: Input) -> bytes:
    """Return the value of a record with ``given``: an event as it is, or a text at the first path of ``input.text``."""
    if isinstance(given, str) and config.format == "text":
        return given.encode(errors="surrogatepass")
    if isinstance(given, str):
        first = config.paths[0]
        steps = () if first == EVERYWHERE else parse_pattern(first)
        given = put(None, [0 if step is None else step for step in steps] or ["text"], given)
    # orjson refuses what the codec reads or gives a reason for: long numbers, NaN, halves of surrogate pairs.
    return json.dumps(given).encode()


def _of(document: Document, task: str) -> dict[str, float] | None:
    annotation = document.annotations.get(task)
    return None if annotation is None else {entry["label"]: entry["score"] for entry in annotation["labels"]}
