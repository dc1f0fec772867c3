"""What a worker needs of one configuration, replaced as a whole by a reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.pipeline.config import Pipeline
from schemas.record import Record
from stream.codecs.formats import codec
from stream.output.event_builder import EventBuilder
from stream.output.formats.registered import RegisteredEncoder
from stream.output.routes import router
from stream.output.shadows import Shadows
from workers.drift.choice import choose_references
from workers.drift.watch import Drift

if TYPE_CHECKING:  # importing torch takes seconds, and nothing here needs it
    from workers.chain.chain import Chain


class Engine:
    """Decodes records, annotates documents and builds events for one configuration.

    Attributes:
        chain: The tasks, loaded and warmed up.
        codec: Makes the document of a record with its ``decode``; one that fails is a failed document.
        builder: Makes the JSON of an enriched event.
        router: Decides where events go; None if the pipeline has no routes.
        drift: Compares annotations with their references.
        shadows: Compares shadows with their tasks; None if there are none.
    """

    def __init__(self, pipeline: Pipeline, chain: Chain, plain: bool = False) -> None:
        """Assemble what ``pipeline`` needs.

        Args:
            pipeline: the pipeline file.
            chain: its tasks, loaded.
            plain: records have the JSON that a value of ``input.format`` becomes, because a person has written them.

        Raises:
            SettingError: a key of ``redact`` is missing, a library or file that ``input.format`` needs, or the file at
                ``telemetry.drift`` cannot be used.
        """
        self.chain = chain
        self.drift = Drift(choose_references(pipeline, chain.references).references, chain.models)
        self.router = router(pipeline.output)
        self.shadows = Shadows(pipeline) if pipeline.shadows else None
        reads_fields = chain.reads_fields or (self.router is not None and self.router.reads_fields)
        self.codec = codec(pipeline.input, reads_fields, None if plain else pipeline.registry, encoded=not plain)
        self.builder = EventBuilder(pipeline, chain.models)
        encoders = self.builder.encoders.values()
        self._registered = [encoder for encoder in encoders if isinstance(encoder, RegisteredEncoder)]
        for encoder in self._registered:
            encoder.plain = plain
        if self.builder.redactor is not None:  # then ids depend on keys, too
            chain.identify(self.builder.config)

    def fetch_schemas(self, records: Sequence[Record]) -> None:
        """Ask the Schema Registry for what decoding ``records``, and encoding any event, needs. May block for seconds.

        Raises RegistryError if the registry is away, AccessError if it rejects our credentials, and SettingError if it
        has no schema to encode events with.
        """
        for encoder in self._registered:
            encoder.prepare()
        self.codec.fetch_schemas(records)
