"""The composition root: polls, prepares, computes, publishes, commits. One loop, three more threads."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.flight import Flight
from stream.kafka.delivery import make_sink
from stream.kafka.sink import Sink
from stream.kafka.source import Source
from stream.microbatch import MicroBatch, MicroBatcher
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from workers.process.journal import Journal, NoJournal, guilty
from workers.process.lanes import Channel, Lane
from workers.process.observer import Observer

if TYPE_CHECKING:  # torch takes seconds to import, and nothing here needs it
    from workers.chain.chain import Chain, Work

_IDLE = 0.1
_CLOSE = 15.0
"""Seconds that leaving the group and letting go of the producer may take."""


class Engine:
    """What a configuration makes of events; swapped whole."""

    def __init__(self, pipeline: Pipeline, chain: Chain) -> None:
        self.chain = chain
        self.decode = codec(pipeline.input, chain.reads_fields).decode
        self.builder = EventBuilder(pipeline, chain.models)


class Worker:
    """One member of the pipeline's consumer group.

    ``run`` works until ``stop`` is called (from any thread, or a signal handler), or until something
    fails that a restart or a person must mend. Whatever happens, an event's offset is committed only
    after its enriched event or its dead letter is in the log.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        chain: Chain,
        patience: float = 60.0,
        slot: int = 0,
        journal: Journal | NoJournal | None = None,
    ) -> None:
        """``patience``: seconds to wait at the start for brokers and topics; ``slot``: this worker's stable number;
        ``journal``: of that slot."""
        self.stats = Stats()
        self.hung = False
        """After ``run``: a thread still holds the device or the brokers, so only ``os._exit`` ends the process."""
        self._pipeline = pipeline
        self._engine = Engine(pipeline, chain)
        self._next: deque[Engine] = deque(maxlen=1)
        self._patience = patience
        self._slot = slot
        self._journal = journal or NoJournal()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._observer = Observer(pipeline, self.stats)

    def stop(self) -> None:
        """Asks for a graceful end: finish what is started, commit, leave the group."""
        self._stopping.set()

    def swap(self, pipeline: Pipeline, chain: Chain) -> None:
        """From the next micro-batch on events are ``chain``'s; what is started is finished as it was begun.

        From any thread. ``pipeline`` equals the worker's in all that ``workers/process/reload.py`` calls fixed.
        """
        self._next.append(Engine(pipeline, chain))

    def run(self) -> bool:
        """Works the input off. Read from top to bottom, this is the way of one event.

        Returns whether everything started was finished; False when the drain timeout was over first. Raises
        BrokerError (TopicError, AccessError, OffsetError, FencedError), StuckError, PoisonError or DeviceError.
        """
        pipeline, stats, journal = self._pipeline, self.stats, self._journal
        batching = pipeline.batching
        batcher = MicroBatcher(batching.max_tokens, batching.max_events, batching.linger_ms / 1000)
        arrived: Channel[list[Record]] = Channel()  # bounded by backpressure
        prepared: Channel[tuple[Engine, MicroBatch, Work]] = Channel(2)
        computed: Channel[tuple[Engine, MicroBatch, Work]] = Channel(2)
        flight = Flight(
            pipeline, wake=lambda: arrived.put([]), failed=lambda: self._failure is not None or sink.evicted
        )
        publisher = Publisher(pipeline, stats)

        def landed(batch: MicroBatch) -> None:
            publisher.landed(batch)
            flight.landed(batch)

        sink = make_sink(
            pipeline, delivered=landed, refused=publisher.refused,
            slot=self._slot, hurry=lambda: flight.draining, membership=lambda: source.metadata,
        )  # fmt: skip

        def pack(engine: Engine, batch: MicroBatch) -> Work:
            with journal.lane("prepare", batch.records):
                return engine.chain.pack(batch.documents)

        def prepare() -> None:
            while True:
                records = arrived.get(batcher.wait()) or []
                live, leaving = _sorted_out(records, batcher)
                flight.dropped(leaving)
                if self._next:
                    if (rest := batcher.cut_rest()) is not None:
                        prepared.put((self._engine, rest, pack(self._engine, rest)))
                    self._engine = self._next.pop()
                engine = self._engine
                batches = []
                with stats.phase("prepare"):
                    for piece, verdict in journal.pieces(live):
                        if verdict == "guilty":
                            documents = [guilty(record) for record in piece]
                        else:
                            with journal.lane("prepare", piece):
                                documents = [engine.decode(record) for record in piece]
                                engine.chain.prepare(documents)
                        for document in documents:
                            document.alone = verdict == "alone"
                        batches += batcher.add(documents)
                if (due := batcher.cut_due()) is not None:
                    batches.append(due)
                for batch in batches:
                    prepared.put((engine, batch, pack(engine, batch)))

        def device() -> None:
            for engine, batch, work in prepared:
                self._observer.on_device = batch.number
                with stats.phase("forward"), journal.lane("device", batch.records):
                    engine.chain.forward(work)
                self._observer.on_device = None
                computed.put((engine, batch, work))

        def finish() -> None:
            while True:
                # While delivery reports are out, they are what there is to wait for.
                ready = computed.get(0 if sink.waiting else _IDLE)
                if ready is None:
                    sink.poll(0.005)
                    if (source.down or sink.down) and sink.answers():
                        source.recovered()
                    continue
                engine, batch, work = ready
                with stats.phase("finish"):
                    with journal.lane("finish", batch.records):
                        engine.chain.annotate(work)
                        outbounds = publisher.outbounds(batch, engine.builder)
                    stats.fill = batch.tokens / batching.max_tokens
                sink.send(batch, outbounds)

        sink.open(self._patience, self._stopping.is_set)
        source = Source(
            pipeline, on_revoke=lambda leaving: flight.drain(leaving, source), on_lost=flight.abandon, slot=self._slot
        )
        lanes = [Lane(work.__name__, work, self._fail) for work in (prepare, device, finish)]
        drained = False
        self.hung = True
        try:
            while not self._stopping.is_set() and self._failure is None:
                records = source.poll(_IDLE)
                if records:
                    stats.polled += len(records)
                    flight.take_off(records)
                    arrived.put(records)
                flight.apply_landings(source)
                flight.regulate(source)
                self._observer.observe(flight, source, sink, self._engine.chain.cache)
            # Nothing more is wanted, but the group must be answered: it may take partitions away all the same.
            source.pause()
            drained = flight.drain(source.assignments, source, meanwhile=lambda: source.poll(0))
            self._observer.observe(flight, source, sink, self._engine.chain.cache)
        finally:
            for channel in (arrived, prepared, computed):
                channel.abort()
            for lane in lanes:
                lane.join(1.0)
            busy = any(lane.is_alive() for lane in lanes)
            closing = Lane("close", lambda: _close(source, None if busy else sink), self._fail)
            closing.join(_CLOSE)
            self.hung = busy or closing.is_alive()
            if drained and not busy:
                journal.close()
        if self._failure is not None:
            raise self._failure
        return drained

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error


def _close(source: Source, sink: Sink | None) -> None:
    if sink is not None:
        sink.close()
    source.close()


def _sorted_out(records: list[Record], batcher: MicroBatcher) -> tuple[list[Record], list[Record]]:
    """Records that may be started; and what is dropped, of ``records`` and ``batcher``: their partition is leaving.

    ``Progress`` rests on dropped records being the tail of their partition. One may begin to leave in between, so what
    waits in the batcher, which is older, is looked at first.
    """
    leaving = batcher.purge()
    live: list[Record] = []
    for record in records:
        (live if record.assignment.state == Assignment.LIVE else leaving).append(record)
    return live, leaving
