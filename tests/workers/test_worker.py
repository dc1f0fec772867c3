"""The worker's own steps, without brokers: what is dropped, and what is closed when it cannot start."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from schemas.document import Document
from schemas.errors import (
    AccessError,
    BrokerError,
    DeviceError,
    FencedError,
    ModelError,
    OffsetError,
    PoisonError,
    SettingError,
    StuckError,
)
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch, MicroBatcher
from stream.pacing import FixedPacing
from stream.progress import Progress
from tests.noop import NoopChain, pipeline
from tests.workers.process.test_journal import crash
from workers.encoder.pool import Pool
from workers.process import early as early_module
from workers.process.journal import Journal, NoJournal
from workers.process.observer import Observer
from workers.worker import Clients, Worker, _is_crash, _part_leaving

BETWEEN = ("purge", "polled")
"""When the partition begins to leave: just before, or just after what waits in the batcher has been looked at."""


class Leaving(MicroBatcher):
    """A batcher whose partition begins to leave while it is looked through."""

    assignment: Assignment
    when = ""

    def purge(self) -> list[Record]:
        if self.when == "purge":
            self.assignment.state = Assignment.CLOSING
        purged = super().purge()
        if self.when == "polled":
            self.assignment.state = Assignment.CLOSING
        return purged


@pytest.mark.parametrize("when", BETWEEN)
def test_what_is_dropped_is_the_tail_of_its_partition_whenever_that_begins_to_leave(when: str) -> None:
    """Were older events dropped and newer ones cut, the offset after these would be committed past the others."""
    assignment = Assignment("in", 0)
    batcher, progress = Leaving(FixedPacing(1_000_000, 60.0), 5), Progress()
    batcher.assignment = assignment
    records = [Record(assignment, offset, None, b"x") for offset in range(8)]
    progress.polled(records)
    older, newer = records[:3], records[3:]
    assert batcher.add([Document(record) for record in older]) == []
    batcher.when = when
    live, dropped = _part_leaving(newer, batcher)
    progress.dropped(dropped)
    batches: list[MicroBatch] = batcher.add([Document(record) for record in live])
    batcher.when = ""
    live, dropped = _part_leaving([], batcher)
    progress.dropped(dropped)
    for batch in batches:
        progress.finished(batch.number, batch.ends, batch.size)
    done = {document.record.offset for batch in batches for document in batch.documents if document.record}
    committable = progress.take_committable().get(assignment, 0)
    assert done >= set(range(committable))
    assert progress.pending([assignment]) == 0


class Client:
    """Stands in for a sink or a source: fails to open where told to, and records whether it is closed."""

    waiting = 0
    down = evicted = paused = False
    member = ""

    def __init__(self, fails: bool = False) -> None:
        self.closed = 0
        self._fails = fails

    def open(self, patience: float, stop: Callable[[], bool]) -> None:
        if self._fails:
            raise BrokerError("no broker answers")

    def poll(self, timeout: float) -> list[Record]:
        return []

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def refuse(*_: object, **__: object) -> Any:
    raise BrokerError("no consumer can be made")


def failing_start(name: str) -> Callable[[threading.Thread], None]:
    start = threading.Thread.start

    def guarded(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    return guarded


@pytest.mark.parametrize("half", ["sink", "open", "source", "prepare", "finish"])
def test_nothing_is_left_when_the_start_fails_half_way(half: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, source = Client(fails=half == "open"), Client()
    clients = Clients(
        sink=refuse if half == "sink" else lambda *_, **__: sink,
        source=refuse if half == "source" else lambda *_, **__: source,
    )
    if half in {"prepare", "finish"}:
        monkeypatch.setattr(threading.Thread, "start", failing_start(half))
    before = set(threading.enumerate())
    worker = Worker(pipeline(), cast(Any, NoopChain()), clients=clients)
    with pytest.raises(RuntimeError if half in {"prepare", "finish"} else BrokerError):
        worker.run()
    assert set(threading.enumerate()) <= before
    assert (sink.closed, source.closed) == (int(half != "sink"), int(half in {"prepare", "finish"}))
    assert not worker.hung


def test_a_sink_that_cannot_be_closed_does_not_keep_the_worker_in_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, source = Client(), Client()
    monkeypatch.setattr(sink, "close", refuse)
    clients = Clients(sink=lambda *_, **__: sink, source=lambda *_, **__: source)
    monkeypatch.setattr(threading.Thread, "start", failing_start("finish"))
    with pytest.raises(RuntimeError):
        Worker(pipeline(), cast(Any, NoopChain()), clients=clients).run()
    assert source.closed == 1


class Endings(NoJournal):
    """Records how a worker closes its journal."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def close(self) -> None:
        self.ends.append("clean")

    def set_aside(self) -> None:
        self.ends.append("set aside")


ORDERLY = [BrokerError, AccessError, FencedError, SettingError, OffsetError, StuckError, PoisonError]


@pytest.mark.parametrize(
    ("error", "ends"),
    [*((kind("why"), ["set aside"]) for kind in ORDERLY), (DeviceError("why"), []), (ValueError("why"), [])],
)
def test_only_ends_that_an_event_may_have_caused_count_as_crashes(error: Exception, ends: list[str]) -> None:
    class Failing(Client):
        def poll(self, timeout: float) -> list[Record]:
            raise error

    clients = Clients(sink=lambda *_, **__: Client(), source=lambda *_, **__: Failing())
    journal = Endings()
    with pytest.raises(type(error)):
        Worker(pipeline(), cast(Any, NoopChain()), journal=journal, clients=clients).run()
    assert journal.ends == ends


def test_what_is_stuck_on_a_thread_is_suspected_and_a_thread_that_is_busy_otherwise_is_not() -> None:
    assert _is_crash(StuckError("device"), busy=True)
    assert not _is_crash(StuckError("brokers"), busy=False)
    assert not _is_crash(PoisonError("too many"), busy=True)
    assert not _is_crash(None, busy=True)


def test_models_that_cannot_be_loaded_end_the_run() -> None:
    chain: Future[Any] = Future()
    chain.set_exception(ModelError("there is none"))
    journal = Endings()
    worker = Worker(pipeline(), chain, journal=journal)
    with pytest.raises(ModelError, match="there is none"):
        worker.run()
    assert journal.ends == ["set aside"]
    assert not worker.hung


def test_a_worker_that_is_stopped_while_its_models_load_leaves_earlier_suspects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(early_module, "has_others", lambda *_: True)
    journal = Endings()
    worker = Worker(pipeline(), Future(), journal=journal)
    worker.stop()
    assert worker.run()
    assert journal.ends == ["set aside"]
    assert not worker.hung


class Slow(NoopChain):
    """A device that is told when a forward ends, and records how many events each micro-batch had."""

    def __init__(self) -> None:
        super().__init__()
        self.started: queue.Queue[int] = queue.Queue()
        self.ended: queue.Queue[None] = queue.Queue()
        self.prepared = threading.Semaphore(0)

    def prepare(self, documents: list[Document]) -> None:
        super().prepare(documents)
        for _ in documents:
            self.prepared.release()

    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        self.started.put(len(work))
        self.ended.get()


class Feeding(Client):
    """A source of the records that are put into a queue, unless it is paused."""

    assignments: ClassVar[list[Assignment]] = []

    def __init__(self, arriving: queue.Queue[list[Record]]) -> None:
        super().__init__()
        self._arriving = arriving

    def poll(self, timeout: float) -> list[Record]:
        with suppress(queue.Empty):
            if not self.paused:
                return self._arriving.get(timeout=0.01)
            time.sleep(0.01)
        return []

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: {}


class Taking(Client):
    def send(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        pass


def test_what_lingers_is_computed_when_polling_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be added to it then, and polling goes on only when it has landed."""
    arriving: queue.Queue[list[Record]] = queue.Queue()
    clients = Clients(sink=lambda *_, **__: Taking(), source=lambda *_, **__: Feeding(arriving))
    monkeypatch.setattr(Observer, "observe", lambda *_: None)
    chain = Slow()
    settings = {"batching": {"target_latency_ms": 60_000}, "backpressure": {"high_events": 2, "low_events": 1}}
    worker = Worker(pipeline(**settings, drain_timeout_ms=1), cast(Any, chain), clients=clients)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        now = time.monotonic()
        arriving.put(
            [Record(Assignment("posts", 0), offset, None, b'{"text": "x"}', polled_at=now) for offset in range(3)]
        )
        assert chain.started.get(timeout=60) == 3
    finally:
        chain.ended.put(None)
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("crashes", [0, 2])
def test_a_micro_batch_takes_in_what_comes_while_the_device_computes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, crashes: int
) -> None:
    """Cut as soon as its linger time is over, it would only wait for the device, and later events behind it."""
    arriving: queue.Queue[list[Record]] = queue.Queue()
    assignment = Assignment("posts", 0)
    clients = Clients(sink=lambda *_, **__: Taking(), source=lambda *_, **__: Feeding(arriving))
    monkeypatch.setattr(Observer, "observe", lambda *_: None)
    for _ in range(crashes):  # of another partition
        crash(tmp_path, [Record(Assignment("posts", 1), offset, None, b"") for offset in range(2)])
    chain, journal = Slow(), Journal(tmp_path, "p", 0)
    settings = {"batching": {"linger_ms": 0, "max_events": 6}, "drain_timeout_ms": 1}
    worker = Worker(pipeline(**settings), cast(Any, chain), journal=journal, clients=clients)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    offsets = itertools.count()

    def send(count: int) -> None:
        arriving.put([Record(assignment, next(offsets), None, b'{"text": "x"}') for _ in range(count)])
        for _ in range(count):
            assert chain.prepared.acquire(timeout=60)

    try:
        send(1)
        assert chain.started.get(timeout=60) == 1
        for count in (1, 1, 2):
            send(count)
        chain.ended.put(None)
        assert chain.started.get(timeout=60) == 4
        send(8)  # what is full need not wait for the device
        chain.ended.put(None)
        assert chain.started.get(timeout=60) == 6
        chain.ended.put(None)
        assert chain.started.get(timeout=60) == 2
    finally:
        for _ in range(8):
            chain.ended.put(None)
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()


class SideBySide(NoopChain):
    """Two forwards run side by side, each of a micro-batch of one event, of three; one ends when its gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(2, 1)
        self.started: queue.Queue[int] = queue.Queue()
        self.gates = [threading.Event() for _ in range(3)]
        self._running: dict[int, Future[Any]] = {}

    def begin(self, work: list[Document], pool: Pool, count: int) -> list[Future[Any]]:
        assert pool is self.pool
        (document,) = work
        offset = cast(Record, document.record).offset
        if offset in self._running:
            return []
        self.started.put(offset)
        self._running[offset] = pool.submit(lambda: self.gates[offset].wait(60))
        return [self._running[offset]]

    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        self.begin(work, self.pool, 1)
        future = self._running[cast(Record, work[0].record).offset]
        while not future.done():
            wait_for([future], self.pool)


@pytest.mark.parametrize(("first", "measured"), [(0, 1), (1, 2)])
def test_the_next_micro_batch_begins_on_an_idle_core_and_is_sent_in_its_turn(
    monkeypatch: pytest.MonkeyPatch, first: int, measured: int
) -> None:
    """``measured``: how many micro-batches teach what forwards take, because none of theirs has begun ahead."""
    arriving: queue.Queue[list[Record]] = queue.Queue()
    assignment, sent = Assignment("posts", 0), queue.Queue[int]()
    sink = Taking()
    monkeypatch.setattr(sink, "send", lambda batch, outbounds: sent.put(batch.number))
    clients = Clients(sink=lambda *_, **__: sink, source=lambda *_, **__: Feeding(arriving))
    monkeypatch.setattr(Observer, "observe", lambda *_: None)
    times: list[float] = []
    monkeypatch.setattr(FixedPacing, "computed", lambda _, tokens, seconds: times.append(seconds))
    chain = SideBySide()
    settings = {"batching": {"linger_ms": 0, "max_events": 1}}
    worker = Worker(pipeline(**settings, drain_timeout_ms=1), cast(Any, chain), clients=clients)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        for offset in range(3):
            arriving.put([Record(assignment, offset, None, b'{"text": "x"}')])
        assert [chain.started.get(timeout=60) for _ in range(2)] == [0, 1]
        with pytest.raises(queue.Empty):
            chain.started.get(timeout=0.05)
        chain.gates[first].set()
        if first == 0:
            assert sent.get(timeout=60) == 0
            assert chain.started.get(timeout=60) == 2
        else:
            with pytest.raises(queue.Empty):
                sent.get(timeout=0.05)
            chain.gates[0].set()
            assert sent.get(timeout=60) == 0
        for gate in chain.gates:
            gate.set()
        assert [sent.get(timeout=60) for _ in range(2)] == [1, 2]
        assert len(times) == measured
    finally:
        for gate in chain.gates:
            gate.set()
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()
