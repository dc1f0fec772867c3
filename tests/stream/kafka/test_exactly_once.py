"""Exactly once against a cluster that fails in every possible way: transactions are committed whole, and once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import AccessError, BrokerError, FencedError
from schemas.record import Assignment, Outbound, Record
from stream.kafka import exactly_once
from stream.kafka.exactly_once import ExactlyOnceSink
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from tests.thoroughness import examples

RETRIABLE = KafkaError(KafkaError._TIMED_OUT, retriable=True)
ABORTABLE = KafkaError(KafkaError.ILLEGAL_GENERATION, txn_requires_abort=True)
UNCERTAIN = KafkaError(KafkaError._TRANSPORT)
FATAL = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True)
FENCED = KafkaError(KafkaError._FENCED, fatal=True)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


class Cluster:
    """What is committed, and what fails next: (call, error, whether the call takes effect nevertheless)."""

    def __init__(self, *faults: tuple[str, KafkaError, bool]) -> None:
        self.faults = list(faults)
        self.outputs: list[Outbound] = []
        self.offsets: dict[tuple[str, int], int] = {}
        self.open: Producer | None = None
        self.generation = 1
        self.tails: dict[Assignment, int] = {}

    def take_tails(self) -> dict[Assignment, int]:
        tails, self.tails = self.tails, {}
        return tails

    def fault(self, call: str) -> tuple[KafkaError, bool] | None:
        if self.faults and self.faults[0][0] == call:
            _, error, effective = self.faults.pop(0)
            return error, effective
        return None


class Producer:
    """The part of the client that transactions need; a new one aborts what the previous one left open."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.sent: list[Outbound] = []
        self.reports: list[tuple[Any, KafkaError | None]] = []
        self.ends: dict[tuple[str, int], int] = {}

    def init_transactions(self, timeout: float) -> None:
        self.cluster.open = self
        self._maybe("init")

    def begin_transaction(self) -> None:
        assert not self.sent
        self._maybe("begin")

    def produce(
        self, topic: str, value: Any, key: Any, _: int, on_delivery: Any, _alias: None, timestamp: int, headers: Any
    ) -> None:
        found = self.cluster.fault("produce")
        if found is None:
            self.sent.append(Outbound(topic, key, value, headers, timestamp))
        self.reports.append((on_delivery, found[0] if found else None))

    def poll(self, timeout: float) -> None:
        reports, self.reports = self.reports, []
        for report, error in reports:
            if error is not None:  # as with delivery.report.only.error
                report(error, None)

    def send_offsets_to_transaction(self, offsets: Any, metadata: int, timeout: float) -> None:
        if metadata != self.cluster.generation:
            raise KafkaException(ABORTABLE)
        self._maybe("offsets")
        self.ends = {(one.topic, one.partition): one.offset for one in offsets}

    def commit_transaction(self, timeout: float) -> None:
        self._maybe("commit", self._commit)

    def abort_transaction(self, timeout: float) -> None:
        self._maybe("abort")
        self.sent, self.ends = [], {}

    def purge(self) -> None:
        pass

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return 0

    def _commit(self) -> None:
        assert self.cluster.open is self
        self.cluster.outputs += self.sent
        for place, end in self.ends.items():
            assert end > self.cluster.offsets.get(place, 0), "a committed offset moved back"
            self.cluster.offsets[place] = end
        self.sent, self.ends = [], {}

    def _maybe(self, call: str, effect: Any = lambda: None) -> None:
        found = self.cluster.fault(call)
        if found is None or found[1]:
            effect()
        if found is not None:
            raise KafkaException(found[0])


@contextmanager
def working(cluster: Cluster, **fields: Any) -> Iterator[tuple[ExactlyOnceSink, list[MicroBatch]]]:
    """A sink that has taken its slot, and the micro-batches it has delivered; ``fields`` of its pipeline file."""
    landed: list[MicroBatch] = []

    def committed(_kafka: Any, _group: str, assignments: Any) -> dict[Assignment, int]:
        return {
            a: cluster.offsets[a.topic, a.partition] for a in assignments if (a.topic, a.partition) in cluster.offsets
        }

    with (
        mock.patch("stream.kafka.sink.make_producer", lambda *_, **__: Producer(cluster)),
        mock.patch("stream.kafka.sink.await_topics", lambda *_, **__: "cluster"),
        mock.patch("stream.kafka.sink.largest_batch", lambda *_: 1_000_000),
        mock.patch("stream.kafka.sink.topic_limits", lambda *_: {}),
        mock.patch.object(exactly_once, "committed_offsets", committed),
        mock.patch.object(exactly_once, "same_slot", lambda *_: []),
        mock.patch("stream.kafka.exactly_once.time.sleep", lambda _: None),
    ):
        sink = ExactlyOnceSink(
            pipeline(delivery="exactly_once", **fields), landed.append, Publisher(pipeline(), Stats()).refused,
            slot=0, hurry=lambda: False, membership=lambda: cluster.generation,
            tails=cluster.take_tails,
        )  # fmt: skip
        sink.open(1)
        yield sink, landed


def _batch(number: int, *records: Record, topics: Sequence[str] = ("out",)) -> tuple[MicroBatch, list[Outbound]]:
    """Return a micro-batch, and for each of its records one to be sent to each of ``topics``."""
    batch = MicroBatch(number, [Document(record) for record in records], 0)
    return batch, [Outbound(topic, record.key, record.value, [], 5, record) for record in records for topic in topics]


def _record(assignment: Assignment, offset: int) -> Record:
    return Record(assignment, offset, b"k", f"{assignment.partition}-{offset}".encode())


def _due(sink: ExactlyOnceSink) -> None:
    sink._began -= 1
    sink.poll(0)


FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "offsets", "abort", "begin", "produce"]),
        st.sampled_from([RETRIABLE, ABORTABLE, UNCERTAIN, FATAL]),
        st.booleans(),
    ),
    max_size=6,
)
"""Which call of the client fails, how, and whether it took effect all the same."""


@settings(deadline=None, max_examples=examples(300))
@given(
    faults=FAULTS,
    batches=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=8),
    loss=st.integers(0, 8),
    topics=st.sampled_from([("out",), ("out", "copy"), ("a", "b", "c"), ()]),
)
def test_whatever_fails_what_is_committed_is_whole_and_once(
    faults: Any, batches: Any, loss: int, topics: tuple[str, ...]
) -> None:
    # Only an uncertain commit can fail and still take effect.
    cluster = Cluster(
        *((call, error, effective and call == "commit" and error is UNCERTAIN) for call, error, effective in faults)
    )
    assignments = [Assignment("in", partition) for partition in range(3)]
    offsets = [0, 0, 0]
    with working(cluster) as (sink, landed):
        for number, partitions in enumerate(batches):
            if number == loss:  # the group has reassigned a partition: a new generation, in which it is not ours
                assignments[0].state = Assignment.GONE
                cluster.generation += 1
            records = []
            for partition in partitions:
                if assignments[partition].state != Assignment.GONE:
                    records.append(_record(assignments[partition], offsets[partition]))
                    offsets[partition] += 1
            sink.send(*_batch(number, *records, topics=topics))
            if number % 2:
                _due(sink)
        _due(sink)
        assert sink.waiting == 0
    assert [batch.number for batch in landed] == list(range(len(batches)))
    found = Counter((outbound.topic, outbound.value) for outbound in cluster.outputs)
    assert set(found.values()) <= {1}
    for partition, read in enumerate(offsets):
        # The committed offset matches the outputs exactly, and covers everything if the partition is still ours.
        committed = cluster.offsets.get(("in", partition), 0)
        assert {copy for copy in found if copy[1] and copy[1].startswith(f"{partition}-".encode())} == {
            (topic, f"{partition}-{offset}".encode()) for offset in range(committed) for topic in topics
        }
        assert committed == read or assignments[partition].state == Assignment.GONE


@settings(deadline=None, max_examples=examples(200))
@given(
    faults=FAULTS,
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=12),
)
def test_whatever_fails_the_ends_of_partitions_are_committed_with_what_is_before_them(faults: Any, steps: Any) -> None:
    """Each step sends an event or reaches the end of a partition, behind control records; then it may be time."""
    cluster = Cluster(
        *((call, error, effective and call == "commit" and error is UNCERTAIN) for call, error, effective in faults)
    )
    assignments = [Assignment("in", partition) for partition in range(3)]
    position, open_events = [0, 0, 0], [0, 0, 0]
    with working(cluster) as (sink, landed):
        for number, (partition, gap, due) in enumerate(steps):
            assignment = assignments[partition]
            if gap and not open_events[partition]:
                position[partition] += gap
                cluster.tails |= {assignment: position[partition]}
                sink.poll(0)
            else:
                sink.send(*_batch(number, _record(assignment, position[partition])))
                position[partition] += 1
                open_events[partition] += 1
            if due:
                _due(sink)
                open_events = [0, 0, 0]
        _due(sink)
        assert sink.waiting == 0
    assert {place: end for place, end in cluster.offsets.items() if end} == {
        ("in", partition): end for partition, end in enumerate(position) if end
    }
    values = Counter(outbound.value for outbound in cluster.outputs)
    assert set(values.values()) <= {1}
    assert len(cluster.outputs) == sum(len(batch.documents) for batch in landed)


@pytest.mark.parametrize("marks", [{"high_events": 4, "low_events": 1}, {"high_bytes": 12}])
def test_a_transaction_ends_before_polling_would_have_to_wait_for_it(marks: dict[str, int]) -> None:
    assignment = Assignment("in", 0)
    with working(Cluster(), backpressure=marks, commit_interval_ms=3_000) as (sink, landed):
        sink.send(*_batch(0, _record(assignment, 0), _record(assignment, 1)))
        assert sink.waiting == 1
        sink.send(*_batch(1, _record(assignment, 2)))
        assert sink.waiting == 0
    assert [batch.number for batch in landed] == [0, 1]


def test_the_end_of_a_lost_partition_is_not_committed() -> None:
    cluster = Cluster()
    lost, ours = Assignment("in", 0), Assignment("in", 1)
    with working(cluster) as (sink, _):
        cluster.tails = {lost: 2, ours: 2}
        sink.poll(0)
        lost.state = Assignment.GONE
        cluster.generation += 1
        _due(sink)
    assert cluster.offsets == {("in", 1): 2}


def test_what_belongs_to_a_lost_partition_is_not_committed() -> None:
    cluster = Cluster()
    lost, ours = Assignment("in", 0), Assignment("in", 1)
    with working(cluster) as (sink, landed):
        sink.send(*_batch(0, _record(lost, 0), _record(ours, 0)))
        lost.state = Assignment.GONE
        cluster.generation += 1
        _due(sink)
        assert len(landed) == 1
    assert [outbound.value for outbound in cluster.outputs] == [b"1-0"]
    assert cluster.offsets == {("in", 1): 1}


def test_an_uncertain_commit_that_happened_is_not_repeated() -> None:
    cluster = Cluster(("commit", UNCERTAIN, True))
    with working(cluster) as (sink, landed):
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
        assert [batch.number for batch in landed] == [0]
    assert len(cluster.outputs) == 1


def test_what_the_broker_refuses_becomes_a_letter_in_the_same_transaction() -> None:
    cluster = Cluster(("produce", TOO_LARGE, False))
    assignment = Assignment("in", 0)
    with working(cluster) as (sink, landed):
        sink.send(*_batch(0, _record(assignment, 0), _record(assignment, 1)))
        _due(sink)
        assert len(landed) == 1
    assert [outbound.topic for outbound in cluster.outputs] == ["out.dead", "out"]
    assert cluster.offsets == {("in", 0): 2}


def test_of_an_event_two_of_whose_copies_are_refused_one_letter_is_sent_with_the_other_copy() -> None:
    cluster = Cluster(*[("produce", TOO_LARGE, False)] * 2)
    assignment = Assignment("in", 0)
    with working(cluster) as (sink, landed):
        batch, outbounds = _batch(0, _record(assignment, 0), topics=("a", "b", "c"))
        sink.send(batch, outbounds)
        _due(sink)
        assert len(landed) == 1
    assert Counter(outbound.topic for outbound in cluster.outputs) == {"out.dead": 1, "c": 1}
    assert cluster.offsets == {("in", 0): 1}


def test_a_letter_that_is_refused_even_bare_ends_the_worker() -> None:
    cluster = Cluster(*[("produce", TOO_LARGE, False)] * 3)
    with working(cluster) as (sink, landed), pytest.raises(BrokerError, match="publishing a dead letter"):
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
    assert not landed
    assert not cluster.offsets


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (FENCED, FencedError),
        (KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED, txn_requires_abort=True), AccessError),
        (KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, txn_requires_abort=True), BrokerError),
    ],
)
@pytest.mark.parametrize("call", ["begin", "offsets", "commit"])
def test_what_nobody_can_mend_ends_the_worker(call: str, error: KafkaError, raised: type[Exception]) -> None:
    cluster = Cluster((call, error, False))
    with working(cluster) as (sink, landed), pytest.raises(raised):
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
    assert not landed
    assert not cluster.outputs


@pytest.mark.parametrize("error", [FATAL, KafkaError(KafkaError.UNSUPPORTED_VERSION), FENCED])
def test_a_slot_that_cannot_be_taken_again_ends_the_worker(error: KafkaError) -> None:
    cluster = Cluster(("commit", UNCERTAIN, False), ("init", error, False))
    with working(cluster) as (sink, landed), pytest.raises(BrokerError, match="taking the transactional id"):
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
    assert not landed
    assert not cluster.outputs


@pytest.mark.parametrize("error", [RETRIABLE, UNCERTAIN, KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE)])
def test_a_coordinator_that_is_away_is_waited_for(error: KafkaError) -> None:
    take_slot = ExactlyOnceSink._take_slot
    impatient = mock.patch.object(ExactlyOnceSink, "_take_slot", lambda sink, _: take_slot(sink, -1.0))
    cluster = Cluster(("commit", UNCERTAIN, False), *[("init", error, False)] * 5)
    with working(cluster) as (sink, landed), impatient:
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
        assert len(landed) == 1
    assert len(cluster.outputs) == 1
    assert cluster.faults == []


def test_a_call_that_never_returns_is_given_up() -> None:
    cluster = Cluster()
    stuck = mock.Mock(side_effect=lambda *_: threading.Event().wait(5))
    with (
        working(cluster) as (sink, landed),
        mock.patch.object(exactly_once, "_HANGS", 0.05),
        mock.patch.object(sink._producer, "send_offsets_to_transaction", stuck),
    ):
        sink.send(*_batch(0, _record(Assignment("in", 0), 0)))
        _due(sink)
        assert stuck.called
        assert len(landed) == 1
    assert len(cluster.outputs) == 1
    assert cluster.offsets == {("in", 0): 1}
