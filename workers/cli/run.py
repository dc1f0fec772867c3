"""``glossator run``: one worker, until it is told to stop."""

from __future__ import annotations

import gc
import logging
import os
import re
import socket
import sys
import time
from pathlib import Path

import click

from schemas.errors import (
    AccessError,
    BrokerError,
    ConfigError,
    DeviceError,
    FencedError,
    GlossatorError,
    ModelError,
    OffsetError,
    PoisonError,
    StuckError,
)
from workers.cli.statuses import exit_statuses
from workers.process import environment

EPILOG = """\b
Example:
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 glossator run examples/starter.yaml
  glossator run --workers 4 pipeline.yaml
\b
Scale with --workers, or by starting the same command on another machine (or here
with another --slot): the workers share the partitions of the input topics.
\b
Signals: the first SIGTERM or SIGINT finishes what is in flight, commits, leaves
the group and exits 0; a second one leaves at once (143 or 130). SIGHUP reads the
pipeline file again: tasks, compute and what is read and written of an event take
over between two micro-batches, without leaving the group; a file with mistakes
changes nothing, and the log says why.
""" + exit_statuses(
    {0: "stopped as asked", 130: "interrupted twice (143: terminated twice)"},
    AccessError, BrokerError, ConfigError, DeviceError, FencedError, ModelError, OffsetError, PoisonError, StuckError,
)  # fmt: skip


def slot_number(value: str, host: str) -> int:
    """Raises click.BadParameter."""
    if value == "host":
        found = re.search(r"-(\d+)$", host)
        if found is None:
            raise click.BadParameter(f'the host name "{host}" does not end in a number, as in worker-0')
        value = found[1]
    if not value.isdecimal() or not value.isascii() or len(value) > 9:
        raise click.BadParameter("must be a whole number, 0 or more, or host")
    return int(value)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option(
    "--patience",
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at the start for brokers and topics.",
)
@click.option(
    "--slot",
    default="0",
    show_default=True,
    envvar="GLOSSATOR_SLOT",
    metavar="N|host",
    callback=lambda _context, _option, value: slot_number(value, socket.gethostname()),
    help="This worker's stable number among its pipeline's; host: the number that ends the host name, as in a "
    "StatefulSet. exactly_once and static members need one each.",
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
)
@click.option(
    "--log-format",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json"]),
    help="json: one object a line, for collectors.",
)
@click.option("--watch", is_flag=True, help="Take over changes of the pipeline file as they are saved.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    envvar="GLOSSATOR_STATE",
    help="Where each slot keeps a small file of what it has in hand: an event that kills the process again and "
    "again becomes a dead letter. Default: $XDG_STATE_HOME/glossator.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 256),
    help="Start N workers, of slots from --slot on, each with a CUDA device of its own where there are several, "
    "restart those that die, and end with the worst status.",
)
@click.pass_context
def run(
    ctx: click.Context,
    *,
    pipeline: Path,
    patience: float,
    slot: int,
    log_level: str,
    log_format: str,
    watch: bool,
    state: Path | None,
    workers: int,
) -> None:
    """Reads events from Kafka, enriches them, publishes them, until stopped."""
    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    if log_format == "json":
        from stream.telemetry.logs import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines(slot if workers == 1 else None))
    from schemas.pipeline.loader import load_file
    from workers.cli.lint import client_problems
    from workers.process.signals import GracefulStop

    found = load_file(pipeline)
    if problems := client_problems(found):
        raise ConfigError(problems)
    settings = found.pipeline
    if workers > 1:
        from workers.process.supervisor import again, cuda_devices, supervise

        own = ["run", str(pipeline), "--patience", str(patience), "--log-level", log_level, "--log-format", log_format]
        if state is not None:
            own += ["--state", str(state)]
        command = again([*(["--debug"] if ctx.find_root().params.get("debug") else []), *own, *(["--watch"] * watch)])
        devices = cuda_devices() if settings.compute.device in {"auto", "cuda"} else []
        # The last commit and closing have five and fifteen seconds.
        grace = settings.drain_timeout_ms / 1000 + 25
        log = logging.getLogger("glossator")
        ctx.exit(
            supervise(
                command, workers, devices=devices, log=log, grace=grace, first=slot, prefixed=log_format != "json"
            )
        )
    environment.prepare()
    signals = GracefulStop()

    from workers.chain.chain import Chain
    from workers.process.journal import Journal
    from workers.process.pulse import guard
    from workers.process.reload import Reloader
    from workers.web.server import serve
    from workers.worker import Worker

    log = logging.getLogger("glossator")
    folder = state or Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "glossator"
    journal: Journal | None = None
    try:
        journal = Journal(folder, settings.pipeline, slot)
    except OSError as error:
        log.warning("no journal of events in hand: %s: %s", folder, error.strerror)
    started = time.monotonic()
    chain = Chain.load(settings)
    chain.warm_up()
    log.info(
        "models ready in %.1f s: %s",
        time.monotonic() - started,
        ", ".join(f"{name} = {ref['model']}@{ref['revision']}" for name, ref in chain.models.items()),
    )
    # Models and modules stay for good: the garbage collector need not walk them again and again.
    gc.freeze()
    worker = Worker(settings, chain, patience, slot, journal)
    signals.stop = worker.stop
    reloader = Reloader(pipeline, settings, chain, worker.swap, watch)
    signals.reload = reloader.ask
    if signals.missed:
        reloader.ask()
    reloader.start()
    serve(settings, worker.stats, slot)
    ended = guard(settings, worker.stats)
    code = 0
    try:
        worker.run()
    except Exception as error:
        if not worker.hung:
            raise
        log.error("%s: %s", type(error).__name__, error if isinstance(error, GlossatorError) else "a fault of ours")
        code = error.exit_status if isinstance(error, GlossatorError) else GlossatorError.exit_status
    finally:
        ended.set()
        gc.unfreeze()  # libraries complain of leaks at the end otherwise
    stats = worker.stats
    log.info(
        "read %d events: %d enriched, %d dead letters, %d not started", stats.polled, stats.enriched,
        stats.dead_letters, stats.polled - stats.enriched - stats.dead_letters,
    )  # fmt: skip
    if reloader.cache is not None and reloader.cache.lookups:
        log.info("cache: %d of %d annotations were known", reloader.cache.hits, reloader.cache.lookups)
    if stats.in_flight:
        log.warning("%d events were still in flight: they are read again after the next start", stats.in_flight)
    if worker.hung:
        # A thread still holds the device or the brokers, and interpreter shutdown would wait for it.
        logging.shutdown()
        os._exit(code)
