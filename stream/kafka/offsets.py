"""Committed offsets as the consumer reads and writes them: where a partition starts, and the last commit of one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from functools import partial
from typing import Literal

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.pipeline.topics import InputTopics
from stream.kafka.faults import Meaning, meaning, require_answers, retry
from stream.kafka.settings import Settings, make_admin

log = logging.getLogger("glossator.source")

_LAST_COMMIT = 5.0
"""Seconds the last commit of a partition may take."""
_FINAL = frozenset({Meaning.ACCESS, Meaning.NOT_A_MEMBER, Meaning.FATAL})
"""Failures of a commit that trying again cannot mend."""
_CALL = 10.0
"""Seconds one question to the cluster may take."""
_LOOK = 0.2
"""Seconds between two looks at whether another member has committed where the group begins."""
_YIELD = 10.0
"""Seconds to leave that decision to the member that owns the topic's first partition."""
_OUTDATED = 5.0
"""Seconds after which ends of the log are read again instead of being committed. It must be less than ``_YIELD``, so
that a slow member does not overwrite what another has decided in its place."""


def starting_offsets(
    consumer: Consumer,
    settings: Settings,
    partitions: list[TopicPartition],
    start: Literal["earliest", "latest"],
    topics: InputTopics,
) -> list[TopicPartition]:
    """Decide where each newly assigned partition starts: at its committed offset, else at its beginning or end. Blocks.

    It may be called from within a callback of ``consumer``, whose settings are ``settings``. ``topics`` are those that
    the group reads.

    ``latest`` is about the partitions that a topic has when the group begins to read it. The group has begun when it
    has a committed offset for any partition of the topic; a partition without one was added later and is read from its
    beginning. So whoever decides commits the ends of all partitions of the topic at once, in a single request,
    including those of other members. Only the owner of the topic's first partition decides, and the others wait for
    it: two members that commit different ends would move each other's offsets.

    The topics that a pattern matches count as one: a topic that is created after the group has begun to read the others
    is read from its beginning, and the owner of the first partition of the first of them decides for all.

    Raises BrokerError when the cluster does not answer within a minute, and AccessError at once.
    """
    yields_until = time.monotonic() + _YIELD
    admin: AdminClient | None = None
    while True:
        starts = retry(lambda: _committed(consumer, partitions), "reading committed offsets")
        fresh = [partition for partition in starts if partition.offset < 0]
        unread = sorted({partition.topic for partition in fresh}) if start == "latest" else []
        if unread:
            # Consumer.list_topics must not be called from within a callback: the client loses the state of the outer
            # call, and ends the process at that call's next callback (CallState_get in confluent-kafka).
            admin = admin or make_admin(settings)
            begun = partial(_has_begun, consumer, admin, topics)
            unread = [topic for topic in unread if not retry(partial(begun, topic), f"looking up {topic}")]
            first = partial(_first_partition, admin, topics)
            deciders = {topic: retry(partial(first, topic), f"looking up {topic}") for topic in unread}
        if admin is None or not unread:
            return [partition for partition in starts if partition.offset >= 0] + [
                TopicPartition(partition.topic, partition.partition, OFFSET_BEGINNING) for partition in fresh
            ]
        mine = {(partition.topic, partition.partition) for partition in partitions}
        late = time.monotonic() > yields_until
        waits = False
        for topic, decider in deciders.items():
            if late or decider in mine:
                retry(partial(_begin_at_end, consumer, admin, topics, topic), f"committing where to start in {topic}")
            else:
                waits = True
        if waits:
            time.sleep(_LOOK)


def first_offsets(consumer: Consumer, starts: Iterable[TopicPartition]) -> list[TopicPartition]:
    """Look up the first offset in the log of those ``starts`` that are at the beginning. Blocks for up to ten seconds.

    Returns nothing if the cluster does not answer: a partition is read from its beginning without knowing its number.
    """
    partitions = [partition for partition in starts if partition.offset == OFFSET_BEGINNING]
    try:
        return _log_offsets(consumer, partitions, OFFSET_BEGINNING) if partitions else []
    except KafkaException as error:
        log.info("the first offsets are unknown (%s) and are not committed", error.args[0].name())
        return []


def _has_begun(consumer: Consumer, admin: AdminClient, topics: InputTopics, topic: str) -> bool:
    """Whether the group has a committed offset for any partition of ``topic`` and of what counts as one with it."""
    return any(partition.offset >= 0 for partition in _committed(consumer, _all_partitions(admin, topics, topic)))


def _begin_at_end(consumer: Consumer, admin: AdminClient, topics: InputTopics, topic: str) -> None:
    """Commit the end of every partition of ``topic`` and those that count as one with it, unless the group has begun.

    A member that the group has expelled cannot do that: the commit names the generation.
    """
    asked = time.monotonic()
    if _has_begun(consumer, admin, topics, topic):
        return
    ends = _log_offsets(consumer, _all_partitions(admin, topics, topic), OFFSET_END)
    if time.monotonic() - asked < _OUTDATED:
        require_answers(consumer.commit(offsets=ends, asynchronous=False) or [])


def _first_partition(admin: AdminClient, topics: InputTopics, topic: str) -> tuple[str, int]:
    """Return the partition whose owner decides where the group begins to read ``topic``."""
    first = _all_partitions(admin, topics, topic)[0]
    return first.topic, first.partition


def _all_partitions(admin: AdminClient, topics: InputTopics, topic: str) -> list[TopicPartition]:
    """Return the partitions of ``topic`` and of all that count as one with it, in order."""
    if topic in topics.names:
        listed, names = admin.list_topics(topic, timeout=_CALL).topics, [topic]
    else:
        listed = admin.list_topics(timeout=_CALL).topics
        names = topics.siblings(topic, listed)
    partitions: list[TopicPartition] = []
    for name in names:
        metadata = listed.get(name)
        if metadata is None or metadata.error is not None:
            raise KafkaException(metadata.error if metadata else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        partitions += [TopicPartition(name, partition) for partition in sorted(metadata.partitions)]
    return partitions


def _log_offsets(consumer: Consumer, partitions: Iterable[TopicPartition], which: int) -> list[TopicPartition]:
    """Look up the first offset (``OFFSET_BEGINNING``) or the end (``OFFSET_END``) of the log of each partition.

    The request for offsets by time takes these two in place of a time, and asks for all partitions together.
    """
    asked = [TopicPartition(partition.topic, partition.partition, which) for partition in partitions]
    return require_answers(consumer.offsets_for_times(asked, timeout=_CALL))


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


def _committed(consumer: Consumer, partitions: list[TopicPartition], timeout: float = _CALL) -> list[TopicPartition]:
    return require_answers(consumer.committed(partitions, timeout=timeout))
