"""Chooses the sink for a pipeline's ``delivery``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.pipeline.config import Pipeline
from schemas.record import Assignment
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.exactly_once import ExactlyOnceSink
from stream.kafka.sink import Delivered, Refused, Sink


def make_sink(
    pipeline: Pipeline,
    *,
    delivered: Delivered,
    refused: Refused,
    slot: int,
    hurry: Callable[[], bool],
    membership: Callable[[], object],
    tails: Callable[[], Mapping[Assignment, int]],
) -> Sink:
    """Make the sink that ``pipeline.delivery`` asks for; it is not open yet. Connects in the background.

    Args:
        pipeline: names the topics, the delivery and the client's settings.
        delivered: called with each micro-batch that is delivered.
        refused: called for what to send in place of a record that the broker rejected.
        slot: the worker's stable number, part of its transactional id.
        hurry: whether a transaction should end at once, because partitions wait to be given up.
        membership: the consumer's group metadata, or None before it has joined (``Source.metadata``).
        tails: returns the offsets to commit that no micro-batch ends with (``Flight.take_tails``).

    Only exactly once uses the last four.

    Raises:
        BrokerError: the client rejects its settings.
    """
    if pipeline.delivery == "exactly_once":
        return ExactlyOnceSink(pipeline, delivered, refused, slot=slot, hurry=hurry, membership=membership, tails=tails)
    return AtLeastOnceSink(pipeline, delivered, refused)
