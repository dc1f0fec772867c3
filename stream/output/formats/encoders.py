"""Chooses the encoders for a pipeline's ``output.format``."""

from __future__ import annotations

from collections.abc import Callable

from schemas.pipeline.config import Pipeline
from schemas.pipeline.formats import OutputFormat, RegisteredFormat
from stream.output.formats.base import Encoder
from stream.output.formats.cloudevents import CloudEventsEncoder
from stream.output.formats.registered import RegisteredEncoder


def make_encoders(pipeline: Pipeline, config: str) -> dict[str | None, Encoder]:
    """Make the encoders of a pipeline: the label of a route, None for ``output.topic``, -> its encoder.

    Plain JSON has none. ``config`` is the hash of the configuration that is in ids of events.
    """
    output = pipeline.output
    encoders: dict[str | None, Encoder] = {}
    for label, topic, chosen in (
        (None, output.topic, output.format_of(None)),
        *((route.label, route.topic, output.format_of(route)) for route in output.routes or ()),
    ):
        if topic is not None and chosen is not None:
            encoders[label] = make_encoder(chosen, pipeline, topic, config)
    return encoders


def decoder(pipeline: Pipeline, label: str | None) -> Callable[[bytes], bytes] | None:
    """Return what turns the events of a route (None: of ``output.topic``) back into JSON; None for plain JSON."""
    encoder = make_encoders(pipeline, "").get(label)
    return None if encoder is None else encoder.decode


def make_encoder(chosen: OutputFormat, pipeline: Pipeline, topic: str, config: str) -> Encoder:
    """Make the encoder of the events of ``pipeline`` that go to ``topic``."""
    if chosen.cloudevents is not None:
        return CloudEventsEncoder(chosen.cloudevents, pipeline.pipeline, config)
    options: RegisteredFormat = getattr(chosen, chosen.name)
    return RegisteredEncoder(chosen.name, options, topic, pipeline)
