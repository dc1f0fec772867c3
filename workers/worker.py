"""One member of the consumer group: polls, prepares, computes, publishes and commits, on four threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.document import Document
from schemas.errors import GlossatorError, PoisonError, RegistryError, StuckError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.flight import Flight
from stream.kafka.delivery import make_sink
from stream.kafka.sink import Sink
from stream.kafka.source import Source
from stream.microbatch import MicroBatch, MicroBatcher
from stream.output.publisher import Publisher
from stream.pacing import make_pacing
from stream.telemetry.stats import Stats
from stream.telemetry.traces import make_traces
from workers.process.ahead import Ahead, Prepared
from workers.process.early import EarlyMember
from workers.process.engine import Engine
from workers.process.journal import Journal, NoJournal, guilty
from workers.process.lanes import Channel, Closed, Lane
from workers.process.observer import Observer
from workers.process.schemas import await_schemas
from workers.process.suspects import Verdict

if TYPE_CHECKING:  # importing torch takes seconds, and nothing here needs it
    from workers.chain.chain import Chain

_IDLE = 0.1
"""Seconds to wait for records, or for a micro-batch, before looking at other things."""
_REPORTS = 0.005
"""Seconds to wait for delivery reports before looking for the next micro-batch."""
_FEW = 64
"""Events that are tokenized together while the device waits for them: about 10 ms of work."""
_LANE_END = 1.0
"""Seconds to wait for each thread to end."""
_CLOSE = 15.0
"""Seconds that leaving the group and closing the producer may take."""


class Clients(NamedTuple):
    """What makes the clients of a worker, by default those of Kafka.

    Attributes:
        source: called with the arguments of ``Source``; returns what has its methods.
        sink: called with the arguments of ``make_sink``; returns what has the methods of ``Sink``.
    """

    source: Callable[..., Any] = Source
    sink: Callable[..., Any] = make_sink


KAFKA = Clients()


class Worker:
    """One member of the pipeline's consumer group.

    ``run`` works until ``stop`` is called, or until something fails that only a restart or a person can repair. An
    event's offset is never committed before its enriched event or its dead letter is in the log.

    Attributes:
        stats: Counters and gauges, updated while ``run`` works; any thread may read them.
        hung: After ``run``, whether a thread still holds the device or the brokers, so that only ``os._exit`` ends the
            process.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        chain: Chain | Future[Chain],
        patience: float = 60.0,
        slot: int = 0,
        journal: Journal | NoJournal | None = None,
        *,
        clients: Clients = KAFKA,
    ) -> None:
        """Make a worker that is not connected yet.

        Args:
            pipeline: The topics, the client's settings and everything about moving events.
            chain: Its tasks, loaded and warmed up, now or later: a future that failed ends ``run`` with its exception.
            patience: Seconds to wait at the start for brokers and topics.
            slot: The worker's stable number among those of its pipeline.
            journal: The journal of that slot, which finds the events that kill the process; closed unless the end
                counts as a crash.
            clients: What makes the consumer and the producer.
        """
        self.stats = Stats()
        self.hung = False
        self._pipeline = pipeline
        self._chain = chain if isinstance(chain, Future) else _loaded(chain)
        self._engines: deque[Engine] = deque(maxlen=1)
        self._patience = patience
        self._slot = slot
        self._journal = journal or NoJournal()
        self._clients = clients
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask for a graceful end: finish what is started, commit, leave the group. Any thread or signal handler may."""
        self._stopping.set()

    def swap(self, pipeline: Pipeline, chain: Chain) -> None:
        """Use ``chain`` from the next micro-batch on; micro-batches already cut are finished with the chain before.

        Any thread may call it. ``pipeline`` must equal the worker's in all that ``process.reload.fixed`` compares.
        """
        self._engines.append(Engine(pipeline, chain))

    def run(self) -> bool:
        """Process the input until stopped. Call it once; the calling thread becomes the poll thread.

        Returns whether everything started was finished; False if the drain timeout was over first. Raises BrokerError
        (TopicError, AccessError, SettingError, OffsetError, FencedError), StuckError, PoisonError or DeviceError.
        """
        run = _Run(
            self._pipeline, self._chain, self._engines, self.stats,
            journal=self._journal, slot=self._slot, clients=self._clients,
        )  # fmt: skip
        drained = False
        self.hung = True
        try:
            run.open(self._patience, self._stopping.is_set)
            while not self._stopping.is_set() and not run.ending:
                run.poll()
            drained = run.drain()
        except BaseException as error:
            run.failure = run.failure or error
        self.hung = run.close(drained)
        if (reason := run.failure or run.poison) is not None:
            raise reason
        return drained


class _Run:
    """The parts of a running worker. Its methods, from top to bottom, are the way of an event through them.

    ``open``, ``poll``, ``drain`` and ``close`` belong to the poll thread, the only one that uses the consumer. The
    methods ``_prepare``, ``_device`` and ``_finish`` are threads that hand micro-batches on through channels.

    ``failure`` is the first exception that ended one of these threads. ``poison`` is set when too many events have
    failed: the worker then stops as if it were asked to, so their dead letters are sent and their offsets committed.
    """

    def __init__(
        self, pipeline: Pipeline, chain: Future[Chain], engines: deque[Engine], stats: Stats,
        *, journal: Journal | NoJournal, slot: int, clients: Clients,
    ) -> None:  # fmt: skip
        """``chain`` is the one to begin with; ``engines`` later holds what replaces it."""
        batching = pipeline.batching
        self.failure: BaseException | None = None
        self.poison: PoisonError | None = None
        self._ends = False
        self._pipeline, self._slot, self._makers = pipeline, slot, clients
        self._chain, self._engines = chain, engines
        self._engine: Engine  # made when the chain is loaded
        self._stats, self._journal = stats, journal
        self._observer = Observer(pipeline, stats)
        self._pacing = make_pacing(batching)
        self._batcher = MicroBatcher(self._pacing, batching.max_events)
        self._arrived: Channel[list[Record]] = Channel()  # bounded by backpressure
        self._prepared: Channel[Prepared] = Channel(2, on_idle=lambda: self._arrived.put([]))
        self._ahead = Ahead(self._prepared, journal)
        self._computed: Channel[Prepared] = Channel(2)
        self._publisher = Publisher(pipeline, stats)
        self._traces = make_traces(pipeline, stats, slot)
        self._flight = Flight(pipeline, wake=lambda: self._arrived.put([]), failed=self._nothing_lands)
        self._lanes: list[Lane] = []
        self._sink: Sink  # both are made by open, which enters them into _clients
        self._source: Source
        self._clients: list[Sink | Source] = []

    def open(self, patience: float, stop: Callable[[], bool]) -> None:
        """Wait for the chain, join the group and start the threads. Returns early when ``stop`` returns true.

        Brokers and topics are waited for up to ``patience`` seconds. If nobody else is in the group, it is joined while
        the chain is loading: that takes seconds, more if a predecessor was killed. Nothing is read meanwhile, so the
        group is left again when another member comes, which could process the partitions.
        """
        early = EarlyMember(self._pipeline, self._journal)
        while not (self._chain.done() or stop()):
            if not self._clients:
                wait((self._chain,), _IDLE)
                if early.may_join():
                    self._join(patience, stop)
            else:
                self._source.poll(_IDLE)
                if early.must_leave(self._source.ask_member()):
                    self._close_clients()
        if stop():
            return
        self._use(Engine(self._pipeline, self._chain.result()))
        if not self._clients:
            self._join(patience, stop)
        for work in (self._prepare, self._device, self._finish):
            self._lanes.append(Lane(work.__name__.strip("_"), work, self._fail))
        self._source.resume()

    def _join(self, patience: float, stop: Callable[[], bool]) -> None:
        """Connect to the brokers and join the group without reading."""
        self._sink = self._makers.sink(
            self._pipeline, delivered=self._landed, refused=self._publisher.refused,
            slot=self._slot, hurry=lambda: self._flight.draining, membership=self._membership,
            tails=self._flight.take_tails,
        )  # fmt: skip
        self._clients.append(self._sink)
        self._sink.open(patience, stop)
        self._source = self._makers.source(
            self._pipeline, on_revoke=self._revoked, on_lost=self._flight.abandon, slot=self._slot
        )
        self._clients.append(self._source)
        self._source.pause()

    def poll(self) -> None:
        """Turn the poll loop once: take what has arrived, commit what has landed, hold back if too much is in flight.

        Raises what ``Source.poll`` raises, and StuckError.
        """
        records = self._source.poll(_IDLE)
        if records:
            self._stats.polled += len(records)
            self._flight.take_off(records)
        # Before the records can be finished: a transaction must not commit where they begin after their end.
        self._flight.apply_landings(self._source)
        if records:
            self._arrived.put(records)
        self._flight.regulate(self._source)
        self._observe()

    def _prepare(self) -> None:
        """Decode and tokenize records, and cut them into micro-batches."""
        with suppress(RegistryError):  # the first records will wait for it
            self._engine.fetch_schemas([])
        while True:
            # While the device is busy, an unfilled micro-batch takes in more events: cut now, it would only wait.
            records = self._arrived.get(self._linger()) or []
            live = self._still_ours(records)
            self._take_over()
            live = await_schemas(lambda: self._engine.fetch_schemas, live, self._stats, self._while_away)
            for piece, verdict in self._journal.pieces(live):
                for some in self._parts(piece):
                    with self._stats.phase("prepare"):
                        batches = self._batcher.add(self._documents(some, verdict))
                    if not batches and self._linger() == 0 and (rest := self._batcher.cut_rest()) is not None:
                        batches.append(rest)
                    for batch in batches:
                        self._pack(batch)

    def _parts(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        """Yield ``records`` in order, few at a time while the device is idle: it need not wait until all are tokenized.

        If there are none, they are yielded, too.
        """
        first = 0
        while first < max(1, len(records)):
            count = _FEW if self._prepared.idle else max(1, len(records))
            yield records[first : first + count]
            first += count

    def _linger(self) -> float | None:
        """Return the seconds after which the unfilled micro-batch is due; None if only something else can make it so.

        While the device computes, it should wait for more: if it were cut now, it would wait as well. While polling is
        paused nothing more can come, and without what it holds polling might not resume.
        """
        if not self._prepared.idle:
            return None
        linger = self._batcher.wait()
        return 0.0 if linger is not None and self._source.paused else linger

    def _documents(self, records: Sequence[Record], verdict: Verdict) -> list[Document]:
        """Make the documents of ``records``; events found guilty of killing the process are not even decoded."""
        if verdict == "guilty":
            return [guilty(record) for record in records]
        engine = self._engine
        with self._journal.lane("prepare", records):
            documents = [engine.codec.decode(record) for record in records]
            engine.chain.prepare(documents)
        for document in documents:
            document.alone = verdict == "alone"
        return documents

    def _still_ours(self, records: list[Record]) -> list[Record]:
        """Return the records that may be started, and drop those whose partition is leaving."""
        live, leaving = _part_leaving(records, self._batcher)
        self._flight.dropped(leaving)
        return live

    def _while_away(self, records: list[Record]) -> list[Record]:
        """Do all else while ``records`` wait for the Schema Registry; return those that may be started."""
        if self._ends:
            raise Closed
        if (rest := self._batcher.cut_rest()) is not None:
            self._pack(rest)
        self._take_over()
        return self._still_ours(records)

    def _take_over(self) -> None:
        """Use the next engine, if there is one; what is not cut yet was tokenized for the present one."""
        if self._engines:
            if (rest := self._batcher.cut_rest()) is not None:
                self._pack(rest)
            engine = self._engines.pop()
            engine.drift.go_on_from(self._engine.drift)
            self._use(engine)

    def _use(self, engine: Engine) -> None:
        """Prepare with ``engine`` from now on, and report what it is."""
        self._engine, stats = engine, self._stats
        engine.chain.pace.on_forward = lambda trunk, seconds: stats.forwards[trunk].add(seconds)
        stats.config, stats.device, stats.precision = engine.builder.config, engine.chain.device, engine.chain.precision
        for counter in (stats.task_events, stats.unread, stats.truncated):
            for task in engine.builder.tasks:  # a counter should exist before it counts
                counter.setdefault(task, 0)

    def _pack(self, batch: MicroBatch) -> None:
        with self._journal.lane("prepare", batch.records):
            work = self._engine.chain.pack(batch.documents)
        self._traces.begin(batch)
        self._prepared.put((self._engine, batch, work))

    def _device(self) -> None:
        """Run the forwards. Those of the next micro-batch begin on cores that have none of this one left to compute."""
        with closing(iter(self._ahead)) as batches:
            for engine, batch, work in batches:
                self._observer.on_device = batch.number
                with (
                    self._stats.phase("forward"),
                    self._traces.step(batch, "forwards"),
                    self._journal.lane("device", batch.records),
                ):
                    self._ahead.entered()
                    began = time.monotonic()
                    engine.chain.forward(work, self._ahead.wait_for)
                    if not self._ahead.began:  # otherwise that time would leave out forwards
                        self._pacing.computed(batch.tokens, time.monotonic() - began)
                self._observer.on_device = None
                self._computed.put((engine, batch, work))

    def _finish(self) -> None:
        """Annotate, build the events, send them, and hear what has become of those sent before."""
        sink, source = self._sink, self._source
        while True:
            self.poison = self.poison or self._publisher.too_many()
            # After too many failures nothing is sent until no more is cut, which bounds what is still sent. While
            # delivery reports are out, waiting for them comes first.
            held = self.poison is not None and not (self._flight.draining or self._ends)
            job = None if held else self._computed.get(0 if sink.waiting else _IDLE)
            if job is None:
                sink.poll(_REPORTS)
                if (source.down or sink.down) and sink.answers():
                    source.recovered()
                continue
            engine, batch, work = job
            with self._stats.phase("finish"), self._traces.step(batch, "finish"):
                with self._journal.lane("finish", batch.records):
                    engine.chain.annotate(work)
                    engine.drift.note(batch.documents)
                    outbounds = self._publisher.outbounds(batch, engine.builder, engine.router, engine.shadows)
                self._stats.fill = batch.tokens / self._pipeline.batching.max_tokens
            self._traces.sending(batch, outbounds)
            sink.send(batch, outbounds)
            if (first := next(batch.records, None)) is not None:
                self._pacing.sent(time.monotonic() - first.polled_at)
            self._stats.full_tokens = self._pacing.tokens(0.0)
            self._stats.linger = max(0.0, self._pacing.linger(0.0, 0))

    def _landed(self, batch: MicroBatch) -> None:
        """Every record made from ``batch`` is in the log; called by the sink, on the finish thread."""
        self._publisher.landed(batch)
        self._traces.landed(batch)
        self._flight.landed(batch)

    def _revoked(self, leaving: list[Assignment]) -> None:
        """The group waits for ``leaving``: finish and commit what is in flight; called by the source in a poll."""
        self._flight.drain(leaving, self._source)

    def drain(self) -> bool:
        """Finish and commit everything that is started; False if the drain timeout was over first."""
        if not self._lanes:
            return True
        source = self._source
        # Polling continues without fetching: the group must be answered, and may still take partitions away.
        source.pause()
        drained = self._flight.drain(source.assignments, source, meanwhile=lambda: source.poll(0))
        self._ends = True
        self._observe()
        return drained

    def close(self, drained: bool) -> bool:
        """End the threads and leave the group, however far ``open`` has come; returns whether a thread hangs.

        A thread that does not end may be using the sink, which is then left open. The journal is closed unless this end
        counts as a crash: a failure that the events in progress may have caused, or one of them is what is stuck.
        """
        self._ends = True
        for channel in (self._arrived, self._prepared, self._computed):
            channel.abort()
        for lane in self._lanes:
            lane.join(_LANE_END)
        self._observer.end()
        busy = any(lane.is_alive() for lane in self._lanes)
        closing = Lane("close", partial(self._close_clients, sink=not busy), self._fail)
        closing.join(_CLOSE)
        if not (busy or closing.is_alive()):
            self._publisher.close()
            self._traces.close()
        if drained and self._lanes and not busy:
            self._journal.close()
        elif not _is_crash(self.failure, busy):
            self._journal.set_aside()
        return busy or closing.is_alive()

    def _close_clients(self, sink: bool = True) -> None:
        """Leave the group and disconnect. ``sink``: whether the sink may be closed, too."""
        closing = ExitStack()  # closes the sink first, and the source even if that fails
        while self._clients:
            client = self._clients.pop()
            if sink or client is not self._sink:
                closing.callback(client.close)
        closing.close()

    @property
    def ending(self) -> bool:
        """Whether the worker must stop although nobody has asked it to."""
        return self.failure is not None or self.poison is not None

    def _observe(self) -> None:
        self._journal.joined(self._source.member)
        self._observer.observe(self._flight, self._source, self._sink, self._engine)

    def _membership(self) -> object:
        return self._source.metadata

    def _nothing_lands(self) -> bool:
        return self.failure is not None or self._sink.evicted

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error


def _loaded(chain: Chain) -> Future[Chain]:
    future: Future[Chain] = Future()
    future.set_result(chain)
    return future


def _is_crash(failure: BaseException | None, busy: bool) -> bool:
    """Whether to suspect the events in progress after a run that ended with ``failure``; None: it was asked to.

    ``busy``: a thread has not ended. If something was stuck for too long, that thread's work is the suspect.
    """
    if isinstance(failure, StuckError):
        return busy
    return failure is not None and (not isinstance(failure, GlossatorError) or failure.crash)


def _part_leaving(records: list[Record], batcher: MicroBatcher) -> tuple[list[Record], list[Record]]:
    """Part ``records`` into those that may be started and those whose partition is leaving.

    The second list begins with what ``batcher`` holds of such partitions. ``Progress`` requires that dropped records
    are the tail of their partition. A partition may begin to leave while this runs, so the batcher, whose records are
    older, is looked at first.
    """
    leaving = batcher.purge()
    live: list[Record] = []
    for record in records:
        (live if record.assignment.state == Assignment.LIVE else leaving).append(record)
    return live, leaving
