"""Replays that are killed or refused at any moment: no letter is sent twice, and in the end none is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from unittest import mock

from confluent_kafka import KafkaError, KafkaException
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.errors import BrokerError
from schemas.record import Assignment, Record
from stream.output.replay import Place, Replay, Selection
from tests.noop import pipeline
from tests.thoroughness import examples

DEAD = "out.dead"
PARTITIONS = 3
RETRIABLE = KafkaError(KafkaError._TIMED_OUT, retriable=True)
ABORTABLE = KafkaError(KafkaError.ILLEGAL_GENERATION, txn_requires_abort=True)
UNCERTAIN = KafkaError(KafkaError._TRANSPORT)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


class KilledError(BaseException):
    """The process ends, whatever it is doing."""


class Fault(NamedTuple):
    """A call of the client that fails; ``effective``: what it does has happened nevertheless."""

    call: str
    error: KafkaError | None
    """None: the process is killed."""
    effective: bool


class Written(NamedTuple):
    """A letter to come: its partition, what kind it is, and how many offsets before it hold no record."""

    partition: int
    kind: str
    gap: int


class Cluster:
    """The log of letters, what has been sent again, and what is committed with it."""

    def __init__(self) -> None:
        self.log: list[list[Record]] = [[] for _ in range(PARTITIONS)]
        self.ends = [0] * PARTITIONS
        self.kinds: dict[bytes, str] = {}
        self.sent: list[bytes] = []
        self.committed: dict[Place, tuple[int, str]] = {}
        self.faults: list[Fault] = []
        self.refused: frozenset[int] = frozenset()
        self.owner: Producer | None = None
        self.arriving: list[Written] = []
        self.chunk = 1
        self.opened_at = 0
        """How many letters there were when the reader was opened."""

    def write(self, letter: Written) -> None:
        """Add a letter whose value is its number."""
        partition, value = letter.partition, str(len(self.kinds)).encode()
        self.kinds[value] = letter.kind
        offset = self.ends[partition] + letter.gap
        topic = b"elsewhere" if letter.kind == "foreign" else b"in"
        headers: list[tuple[str, str | bytes | None]] = [
            ("__glossator.errors.topic", topic), ("__glossator.errors.stage", letter.kind.encode())
        ]  # fmt: skip
        self.log[partition].append(Record(Assignment(DEAD, partition), offset, None, value, headers, 5))
        self.ends[partition] = offset + 1

    def expected(self) -> set[bytes]:
        return {value for value, kind in self.kinds.items() if kind == "plain"}


class Reader:
    """Reads the log from where it is told to, a few records at a time."""

    metadata = None

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.ends: dict[Place, int] = {}
        self._next = [0] * PARTITIONS

    def committed(self, topic: str, patience: float) -> dict[Place, tuple[int, str]]:
        assert topic == DEAD
        return dict(self._cluster.committed)

    def open(self, topics: Sequence[str], start: Mapping[Place, int], patience: float) -> None:
        self._cluster.opened_at = len(self._cluster.kinds)
        self.ends = {(DEAD, partition): end for partition, end in enumerate(self._cluster.ends)}
        self._next = [start.get((DEAD, partition), 0) for partition in range(PARTITIONS)]

    def poll(self, timeout: float) -> list[Record]:
        if self._cluster.arriving:
            self._cluster.write(self._cluster.arriving.pop())
        records = []
        for partition, log in enumerate(self._cluster.log):
            due = [record for record in log if record.offset >= self._next[partition]][: self._cluster.chunk]
            end = self.ends[DEAD, partition]
            self._next[partition] = due[-1].offset + 1 if due else max(self._next[partition], end)
            records += due
        return records

    @property
    def done(self) -> bool:
        return all(self._next[partition] >= end for (_, partition), end in self.ends.items())

    def close(self) -> None:
        pass


class Producer:
    """The part of the client that transactions need; a new one aborts what the previous one left open."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sent: list[bytes] = []
        self._failed = False
        self._ends: dict[Place, tuple[int, str]] = {}
        self._reports: list[tuple[Any, KafkaError | None]] = []

    def __len__(self) -> int:
        return len(self._reports)

    def init_transactions(self, timeout: float) -> None:
        self._cluster.owner = self

    def begin_transaction(self) -> None:
        assert not self._sent
        self._do("begin")

    def produce(self, topic: str, value: bytes, key: Any, headers: Any, timestamp: int, on_delivery: Any) -> None:
        assert topic == "in"
        self._do("produce")
        if int(value) in self._cluster.refused:
            self._failed = True
            if int(value) % 2:
                raise KafkaException(TOO_LARGE)
            self._reports.append((on_delivery, TOO_LARGE))
        else:
            self._sent.append(value)
            self._reports.append((on_delivery, None))

    def poll(self, timeout: float) -> None:
        self._do("poll")
        reports, self._reports = self._reports, []
        for report, error in reports:
            report(error, None)

    def send_offsets_to_transaction(self, offsets: Any, metadata: None, timeout: float) -> None:
        self._do(
            "offsets", lambda: self._ends.update({(o.topic, o.partition): (o.offset, o.metadata) for o in offsets})
        )

    def commit_transaction(self, timeout: float) -> None:
        self._do("commit", self._commit)

    def abort_transaction(self, timeout: float) -> None:
        self._do("abort", self._abort)

    def _commit(self) -> None:
        assert self._cluster.owner is self
        assert not self._failed, "a transaction in which a record has failed can only be aborted"
        for place, (end, _) in self._ends.items():
            assert end >= self._cluster.committed.get(place, (0, ""))[0], "a committed offset moved back"
        self._cluster.sent += self._sent
        self._cluster.committed |= self._ends
        self._abort()

    def _abort(self) -> None:
        self._sent, self._ends, self._failed = [], {}, False

    def _do(self, call: str, effect: Any = lambda: None) -> None:
        faults = self._cluster.faults
        fault = faults.pop(0) if faults and faults[0].call == call else None
        if fault is None or fault.effective:
            effect()
        if fault is not None:
            raise KilledError if fault.error is None else KafkaException(fault.error)


class Run(NamedTuple):
    """One replay: what fails, which letters the topic refuses, letters that arrive meanwhile, and sizes of batches."""

    faults: list[Fault]
    refused: frozenset[int]
    arriving: list[Written]
    chunk: int
    rate: float | None


LETTERS = st.lists(
    st.builds(
        Written,
        st.integers(0, PARTITIONS - 1), st.sampled_from(["plain", "plain", "unchosen", "foreign"]), st.integers(0, 2),
    ),
    max_size=8,
)  # fmt: skip
# Only a commit can fail and yet have happened; the client itself repeats what is retriable.
FAULTS = st.builds(Fault, st.sampled_from(["begin", "produce", "poll", "offsets", "commit", "abort"]),
                   st.sampled_from([None, None, RETRIABLE, ABORTABLE, UNCERTAIN]), st.booleans()).map(
    lambda fault: fault._replace(effective=fault.effective and fault.call == "commit" and fault.error is not RETRIABLE)
)  # fmt: skip
RUNS = st.lists(
    st.builds(
        Run, st.lists(FAULTS, max_size=3), st.frozensets(st.integers(0, 12), max_size=4), LETTERS, st.integers(1, 4),
        st.sampled_from([None, 1.0, 2.0, 3.0]),
    ),
    max_size=6,
)  # fmt: skip
CONFIG = pipeline(input={"topics": ["in"]}, output={"topic": "out", "dead_letter": DEAD})
CLEAN = Run([], frozenset(), [], 4, None)


@contextmanager
def simulated(cluster: Cluster) -> Iterator[None]:
    with (
        mock.patch("stream.output.replay.Reader", lambda *_: Reader(cluster)),
        mock.patch("stream.output.replay.check_topics", lambda *_: None),
        mock.patch("stream.output.replay.time.sleep", lambda _: None),
        mock.patch("stream.kafka.resender.make_producer", lambda *_, **__: Producer(cluster)),
    ):
        yield


def replay(cluster: Cluster, run: Run) -> list[bytes]:
    """Run a replay, and return the letters that it has called sent."""
    cluster.faults, cluster.refused = [*run.faults], run.refused
    cluster.arriving, cluster.chunk = [*run.arriving], run.chunk
    selection = Selection(lambda letter: letter.stage != "unchosen", "the condition")
    job = Replay(CONFIG, selection, 1.0, True, {})
    told: list[bytes] = []
    try:
        job.open(again=False)
        job.send(run.rate, lambda choice: told.append(choice.letter.record.value or b"") if choice.outbound else None)
    except KilledError:
        return told  # without closing anything
    except BrokerError:
        pass
    with suppress(KilledError):
        job.close()
    return told


REFUSED_THEN_CUT_OFF = Run(
    [Fault("abort", RETRIABLE, False), Fault("produce", UNCERTAIN, False)], frozenset({0}), [], 4, None
)
"""A letter is refused, so the transaction begins again, and then another one cannot be sent."""


@settings(deadline=None, max_examples=examples(300))
@given(letters=LETTERS, runs=RUNS)
@example(letters=[Written(0, "plain", 0)] * 3, runs=[REFUSED_THEN_CUT_OFF])
def test_no_letter_is_sent_twice_and_none_is_skipped(letters: list[Written], runs: list[Run]) -> None:
    cluster = Cluster()
    for letter in letters:
        cluster.write(letter)
    told: list[bytes] = []
    with simulated(cluster):
        for run in runs:
            sent = replay(cluster, run)
            assert all(int(value) < cluster.opened_at for value in sent), "what arrives later is for the next run"
            told += sent
            assert set(Counter(cluster.sent).values()) <= {1}
            assert set(told) <= set(cluster.sent), "what was called sent is sent"
        told += replay(cluster, CLEAN)
        # What arrives during a run is left to the next one.
        told += replay(cluster, CLEAN)
        assert Counter(cluster.sent) == Counter(cluster.expected())
        assert Counter(told) <= Counter(cluster.sent)
        assert replay(cluster, CLEAN) == []


@settings(deadline=None, max_examples=examples(100))
@given(letters=LETTERS, refused=st.frozensets(st.integers(0, 7)))
def test_a_clean_run_sends_all_that_the_topic_takes(letters: list[Written], refused: frozenset[int]) -> None:
    cluster = Cluster()
    for letter in letters:
        cluster.write(letter)
    with simulated(cluster):
        told = replay(cluster, CLEAN._replace(refused=refused))
    assert sorted(told) == sorted(cluster.sent) == sorted(v for v in cluster.expected() if int(v) not in refused)
