"""Assembles a worker process: pipeline -> chain -> worker -> signals -> probes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.pipeline.config import Pipeline
from workers.process.journal import Journal
from workers.process.memory import collect_as_usual, collect_rarely
from workers.process.pulse import guard
from workers.process.signals import GracefulStop
from workers.process.start_lines import log_plan
from workers.web.address import Address
from workers.web.server import serve
from workers.worker import Worker

if TYPE_CHECKING:  # importing torch takes seconds
    from workers.chain.chain import Chain
    from workers.process.reload import Reloader

log = logging.getLogger("glossator")


class Service:
    """One worker with loaded models and, where they are asked for, a journal, reloading, signals and probes.

    ``worker`` may be run by itself (the demo does); ``run`` also serves probes.

    Attributes:
        slot: The worker's stable number among those of its pipeline.
        hung: After ``run``, whether a thread of the worker hangs or the models are still loading. The shutdown of the
            interpreter would wait for that thread, or take modules from it, so only ``os._exit`` ends the process.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        patience: float = 60.0,
        slot: int = 0,
        state: Path | None = None,
        telemetry: Address | None = None,
    ) -> None:
        """Begin to load the models and warm them up, and make the worker, which is not connected yet.

        Args:
            pipeline: What the worker does.
            patience: Seconds to wait at the start for brokers and topics.
            slot: The worker's stable number among those of its pipeline.
            state: The folder of the slot's journal; None for a worker without one.
            telemetry: Where ``run`` serves metrics and probes, in place of the address in the pipeline file.

        Raises:
            FencedError: Another process on this machine has the slot.
        """
        journal = None if state is None else _journal(state, pipeline, slot)
        self._pipeline, self.slot, self._telemetry = pipeline, slot, telemetry
        self._chain = _in_background(lambda: _load(pipeline))
        self.worker = Worker(pipeline, self._chain, patience, slot, journal)
        self._reloader: Reloader | None = None
        self.hung = False

    def await_models(self) -> None:
        """Wait until the models are loaded. Raises ModelError or DeviceError, as ``run`` would."""
        self._chain.result()

    def follow(self, signals: GracefulStop, file: Path, watch: bool) -> None:
        """Stop the worker on SIGTERM or SIGINT, and reload ``file`` on SIGHUP and, with ``watch``, when it changes.

        Reloading begins when the models are loaded.
        """
        signals.stop = self.worker.stop

        def begin(loaded: Future[Chain]) -> None:
            if loaded.exception() is not None:
                return
            from workers.process.reload import Reloader

            self._reloader = Reloader(file, self._pipeline, loaded.result(), self.worker.swap, watch)
            signals.reload = self._reloader.ask
            if signals.missed:
                self._reloader.ask()
            self._reloader.start()

        self._chain.add_done_callback(begin)

    def run(self) -> None:
        """Serve the probes and run the worker until it is stopped, then log what it has done.

        Raises what ``Worker.run`` raises, and ModelError or DeviceError if the models cannot be loaded. If ``hung`` is
        true afterwards, only ``os._exit`` ends the process.
        """
        worker = self.worker
        serve(self._pipeline, worker.stats, self.slot, self._telemetry)
        ended = guard(self._pipeline, worker.stats)
        self._chain.add_done_callback(lambda _: collect_rarely())
        try:
            worker.run()
        finally:
            ended.set()
            self.hung = worker.hung or not self._chain.done()
            collect_as_usual()
            self._report()

    def _report(self) -> None:
        stats = self.worker.stats
        others = "".join(
            f", {count} {outcome}" for count, outcome in (
                (stats.dropped, "dropped"), (stats.tombstones, "tombstones passed on"),
                (stats.skipped, "tombstones skipped"),
            ) if count
        )  # fmt: skip
        log.info(
            "read %d events: %d enriched%s, %d dead letters, %d not started", stats.polled, stats.enriched, others,
            stats.dead_letters, stats.polled - stats.finished,
        )  # fmt: skip
        cache = None if self._reloader is None else self._reloader.cache
        if cache is not None and cache.lookups:
            log.info("cache: %d of %d annotations were known", cache.hits, cache.lookups)
        if stats.in_flight:
            log.warning("%d events were still in flight: they are read again after the next start", stats.in_flight)


def _load(pipeline: Pipeline) -> Chain:
    """Load the models and warm them up. Raises ModelError or DeviceError."""
    started = time.monotonic()
    from workers.chain.chain import Chain  # importing torch takes seconds, in which the group can be joined

    chain = Chain.load(pipeline)
    chain.warm_up()
    models = ", ".join(f"{name} = {ref['model']}@{ref['revision']}" for name, ref in chain.models.items())
    log.info("models ready in %.1f s: %s", time.monotonic() - started, models)
    log_plan(chain)
    return chain


def _in_background(load: Callable[[], Chain]) -> Future[Chain]:
    """Call ``load`` on a daemon thread; return the future of its result."""
    future: Future[Chain] = Future()

    def work() -> None:
        try:
            chain = load()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(chain)

    threading.Thread(target=work, name="load", daemon=True).start()
    return future


def _journal(folder: Path, pipeline: Pipeline, slot: int) -> Journal | None:
    """Open the slot's journal, or log why there is none. Raises FencedError while another process has the slot."""
    try:
        return Journal(folder, pipeline.pipeline, slot)
    except OSError as error:
        log.warning(
            "the state folder %s cannot be used (%s): an event that kills the process will not be found, and kill it "
            "again after each restart; --state names another folder", folder, error.strerror,
        )  # fmt: skip
        return None
