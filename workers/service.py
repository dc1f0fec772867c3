"""Assembles a worker process: pipeline -> chain -> worker -> signals -> probes."""

from __future__ import annotations

import gc
import logging
import time
from pathlib import Path

from schemas.pipeline.config import Pipeline
from workers.chain.chain import Chain
from workers.process.journal import Journal
from workers.process.pulse import guard
from workers.process.reload import Reloader
from workers.process.signals import GracefulStop
from workers.web.server import serve
from workers.worker import Worker

log = logging.getLogger("glossator")


class Service:
    """One worker with loaded models and, where they are asked for, a journal, reloading, signals and probes.

    ``worker`` may be run by itself (the demo does); ``run`` also serves probes.
    """

    def __init__(self, pipeline: Pipeline, *, patience: float = 60.0, slot: int = 0, state: Path | None = None) -> None:
        """Load the models, warm them up and make the worker, which is not connected yet.

        Args:
            pipeline: What the worker does.
            patience: Seconds to wait at the start for brokers and topics.
            slot: The worker's stable number among those of its pipeline.
            state: The folder of the slot's journal; None for a worker without one.

        Raises:
            FencedError: Another process on this machine has the slot.
            ModelError: A model is missing or does not fit its task.
            DeviceError: The device does not exist or is broken.
        """
        journal = None if state is None else _journal(state, pipeline, slot)
        started = time.monotonic()
        chain = Chain.load(pipeline)
        chain.warm_up()
        models = ", ".join(f"{name} = {ref['model']}@{ref['revision']}" for name, ref in chain.models.items())
        log.info("models ready in %.1f s: %s", time.monotonic() - started, models)
        self.worker = Worker(pipeline, chain, patience, slot, journal)
        self._pipeline, self._chain, self._slot = pipeline, chain, slot
        self._reloader: Reloader | None = None

    def follow(self, signals: GracefulStop, file: Path, watch: bool) -> None:
        """Stop the worker on SIGTERM or SIGINT, and reload ``file`` on SIGHUP and, with ``watch``, when it changes."""
        signals.stop = self.worker.stop
        self._reloader = reloader = Reloader(file, self._pipeline, self._chain, self.worker.swap, watch)
        signals.reload = reloader.ask
        if signals.missed:
            reloader.ask()
        reloader.start()

    def run(self) -> None:
        """Serve the probes and run the worker until it is stopped, then log what it has done.

        Raises what ``Worker.run`` raises. If ``worker.hung`` is true afterwards, a thread of the worker hangs, and only
        ``os._exit`` ends the process, because interpreter shutdown would wait for that thread.
        """
        worker = self.worker
        serve(self._pipeline, worker.stats, self._slot)
        ended = guard(self._pipeline, worker.stats)
        # Models and modules live as long as the process: the garbage collector need not visit them again and again.
        gc.freeze()
        try:
            worker.run()
        finally:
            ended.set()
            gc.unfreeze()  # otherwise libraries report leaks at exit
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
        cache = self._chain.cache if self._reloader is None else self._reloader.cache
        if cache is not None and cache.lookups:
            log.info("cache: %d of %d annotations were known", cache.hits, cache.lookups)
        if stats.in_flight:
            log.warning("%d events were still in flight: they are read again after the next start", stats.in_flight)


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
