"""Committed offsets as the consumer reads and writes them: where a partition starts, and the last commit of one."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from stream.kafka.faults import Meaning, meaning, require_answers, retry

log = logging.getLogger("glossator.source")

_LAST_COMMIT = 5.0
"""Seconds the last commit of a partition may take."""
_FINAL = frozenset({Meaning.ACCESS, Meaning.NOT_A_MEMBER, Meaning.FATAL})
"""Failures of a commit that trying again cannot mend."""


def starting_offsets(
    consumer: Consumer, partitions: list[TopicPartition], start: Literal["earliest", "latest"]
) -> list[TopicPartition]:
    """Decide where each newly assigned partition starts: at its committed offset, else at ``start``. Blocks.

    The end of the log is committed at once where it is chosen: if a restart before the first event chose it again, it
    would skip what arrived in between.

    Raises BrokerError when the cluster does not answer within a minute, and AccessError at once.
    """
    starts = []
    fresh = []
    for committed in retry(lambda: _committed(consumer, partitions), "reading committed offsets"):
        if committed.offset >= 0:
            starts.append(TopicPartition(committed.topic, committed.partition, committed.offset))
        elif start == "earliest":
            starts.append(TopicPartition(committed.topic, committed.partition, OFFSET_BEGINNING))
        else:
            end = retry(partial(_end, consumer, committed), "reading the end of the log")
            fresh.append(TopicPartition(committed.topic, committed.partition, end))
    if fresh:
        retry(lambda: consumer.commit(offsets=fresh, asynchronous=False), "committing where to start")
    return starts + fresh


def commit_and_wait(consumer: Consumer, offsets: list[TopicPartition]) -> None:
    """Commit ``offsets`` and wait up to five seconds until they can be read back; then give up and log it.

    A commit that waits for its answer would wait forever while there is no coordinator, and its callback is not called
    while a rebalance is served. So it is sent in the background and the group is asked what it has.
    """
    deadline = time.monotonic() + _LAST_COMMIT
    wanted = {(partition.topic, partition.partition): partition.offset for partition in offsets}
    while True:
        try:
            consumer.commit(offsets=offsets, asynchronous=True)
            committed = _committed(consumer, offsets, max(0.1, min(2.0, deadline - time.monotonic())))
            if all(partition.offset >= wanted[partition.topic, partition.partition] for partition in committed):
                return
            error = None
        except KafkaException as failure:
            error = failure.args[0]
        if time.monotonic() > deadline or (error is not None and meaning(error) in _FINAL):
            reason = "rejected" if error is None else error.name()
            log.warning("offsets were not committed (%s): events may be processed again", reason)
            return
        time.sleep(0.05)


def _committed(consumer: Consumer, partitions: list[TopicPartition], timeout: float = 10.0) -> list[TopicPartition]:
    return require_answers(consumer.committed(partitions, timeout=timeout))


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    return int(consumer.get_watermark_offsets(partition, timeout=10)[1])
