"""Takes records the way that a worker takes them, from bytes to the records to send, without Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound, Record
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from workers.process.engine import Engine

if TYPE_CHECKING:  # importing torch takes seconds, and nothing here needs it
    from workers.chain.chain import Chain


@dataclass
class Processed:
    """What has become of one record.

    Attributes:
        document: the event, annotated or failed.
        routed: the names of the routes that took it, those that drop it included.
        outbounds: the records that a worker would send, but with the events in JSON, whatever ``output.format`` is.
    """

    document: Document
    routed: tuple[str, ...] = ()
    outbounds: list[Outbound] = field(default_factory=list)


class Offline:
    """Processes records with the parts of a worker, on the calling thread."""

    def __init__(self, pipeline: Pipeline, chain: Chain) -> None:
        """``chain``: the tasks of ``pipeline``, loaded."""
        self._engine = Engine(pipeline, chain, plain=True)
        self._publisher = Publisher(pipeline, Stats())
        self._batches = 0

    def process(self, records: Sequence[Record]) -> list[Processed]:
        """Process ``records`` as one micro-batch, and return what has become of each. Raises DeviceError."""
        engine = self._engine
        documents = [engine.codec.decode(record) for record in records]
        engine.chain.run(documents)
        batch = MicroBatch(self._batches, documents, sum(document.tokens for document in documents))
        self._batches += 1
        by_record = {id(document.record): Processed(document) for document in documents}
        encoders = engine.builder.encoders
        for outbound in self._publisher.outbounds(batch, engine.builder, engine.router):
            if outbound.kind == "event" and outbound.value is not None and outbound.route in encoders:
                outbound.value = encoders[outbound.route].decode(outbound.value)
            by_record[id(outbound.origin)].outbounds.append(outbound)
        if engine.router is not None:
            for processed in by_record.values():
                if processed.document.failure is None:
                    processed.routed = engine.router.decide(processed.document).routed
        return list(by_record.values())
