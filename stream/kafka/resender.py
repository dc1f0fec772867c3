"""Publishes records and commits how far their source was read, in one transaction: none is published twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import BrokerError, FencedError
from schemas.pipeline.config import TIMEOUT_MS
from schemas.record import Outbound
from stream.kafka.faults import ErrorWatch, Meaning, fault, meaning
from stream.kafka.settings import Settings, make_producer

Ends: TypeAlias = Callable[[Mapping[int, str]], Mapping[tuple[str, int], tuple[int, str]]]
"""Returns, for each (topic, partition) of the source, the next offset to read there and a note to commit with it.
Called with the records that the broker has refused: their index, and the name of Kafka's error."""

_CALL = 10.0
"""Seconds one call of the producer may wait for the cluster; it is repeated while that can help."""
_PATIENCE = 60.0
"""Seconds for which a call is repeated."""


class Resender:
    """A transactional producer. One thread uses it.

    Its transactional id is the name of the group, so a second one with the same group fences the first: two runs at the
    same time cannot publish the same record twice either.
    """

    def __init__(self, settings: Settings, group: str) -> None:
        """``group``: whose offsets are committed. Raises BrokerError if the client rejects ``settings``."""
        timeout_ms = int(settings.get("transaction.timeout.ms", TIMEOUT_MS))
        self._group = group
        self._watch = ErrorWatch("producer")
        overrides = {"transactional.id": group, "transaction.timeout.ms": timeout_ms}
        self._producer = make_producer(settings, self._watch, **overrides)

    def open(self) -> None:
        """Wait for the cluster, and end what an earlier run left open; blocks for up to a minute.

        Raises AccessError or BrokerError.
        """
        self._ask(lambda: self._producer.init_transactions(_CALL), "getting a transactional id")

    def send(self, outbounds: Sequence[Outbound], ends: Ends, metadata: object) -> None:
        """Publish ``outbounds`` and commit offsets, both or neither; blocks until the transaction is committed.

        Args:
            outbounds: Records to publish. Those that the broker refuses for what they are, are left out.
            ends: Called once, before the transaction is committed, for what to commit.
            metadata: The group metadata of the reader.

        Raises:
            FencedError: another run has begun with the same group.
            BrokerError: or AccessError, for any other failure; then nothing of this call is published.
        """
        refused: dict[int, str] = {}
        while True:
            before = len(refused)
            self._ask(self._producer.begin_transaction, "beginning a transaction")
            self._produce(outbounds, refused)
            if len(refused) == before:
                break
            # A transaction in which a record has failed can only be aborted.
            self._ask(lambda: self._producer.abort_transaction(_CALL), "aborting a transaction")
        offsets = [TopicPartition(*place, end, note) for place, (end, note) in ends(refused).items()]
        send_offsets = partial(self._producer.send_offsets_to_transaction, offsets, metadata, _CALL)
        self._ask(send_offsets, "committing offsets")
        self._ask(lambda: self._producer.commit_transaction(_CALL), "committing a transaction")

    def _produce(self, outbounds: Sequence[Outbound], refused: dict[int, str]) -> None:
        """Produce what is not refused, and wait for the reports; adds newly refused records to ``refused``."""
        failed: list[KafkaError] = []
        before = len(refused)

        def report(index: int, error: KafkaError | None, _: object) -> None:
            if error is None:
                return
            if meaning(error) is Meaning.BAD_RECORD:
                refused[index] = error.name()
            elif meaning(error) is not Meaning.NEIGHBOUR and error.code() != KafkaError._PURGE_QUEUE:
                failed.append(error)

        for index, outbound in enumerate(outbounds):
            while index not in refused:
                try:
                    self._producer.produce(
                        outbound.topic, outbound.value, outbound.key, headers=outbound.headers,
                        timestamp=max(outbound.timestamp_ms, 0), on_delivery=partial(report, index),
                    )  # fmt: skip
                    break
                except BufferError:
                    self._poll()
                except KafkaException as error:
                    report(index, error.args[0], None)
                    break
        deadline = time.monotonic() + _PATIENCE
        while len(self._producer) and time.monotonic() < deadline:
            self._poll()
        # With a record that is refused, the transaction is repeated anyway, without it.
        if failed and len(refused) == before:
            raise self._reason(failed[0], "publishing")
        if len(self._producer):
            raise BrokerError(f"publishing: no answer within {_PATIENCE:.0f} s")

    def close(self) -> None:
        """Abort an open transaction, if there is one; blocks for a few seconds at most."""
        with contextlib.suppress(KafkaException):  # none is open, or the cluster aborts it after its timeout
            self._producer.abort_transaction(_CALL)

    def _poll(self) -> None:
        try:
            self._producer.poll(0.1)
        except KafkaException as failure:  # the client cannot send anything any more
            raise self._reason(failure.args[0], "publishing") from None

    def _ask(self, call: Callable[[], object], doing: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                call()
                return
            except KafkaException as failure:
                error = failure.args[0]
                if not error.retriable() or time.monotonic() > deadline:
                    raise self._reason(error, doing) from None

    def _reason(self, error: KafkaError, doing: str) -> BrokerError:
        if meaning(error) is Meaning.FENCED or error.code() == KafkaError._FENCED:
            return FencedError(f"another run of the same command has begun ({self._group}); this one has stopped")
        return fault(error, doing)
