"""``glossator run``: one worker, or several, until told to stop."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
from pathlib import Path

import click

from schemas.errors import (
    AccessError,
    BrokerError,
    ConfigError,
    DeviceError,
    FencedError,
    ModelError,
    OffsetError,
    PoisonError,
    StuckError,
)
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import load_file
from stream.kafka.admin import check_cluster
from stream.kafka.checking import run_mistakes
from stream.output.redaction.keys import load_keys
from workers.cli.ending import report, use_format
from workers.cli.numbers import patience_option
from workers.cli.statuses import exit_statuses
from workers.process.environment import prepare_process
from workers.process.journal import cluster_folder
from workers.process.signals import GracefulStop
from workers.process.start_lines import log_cluster, log_pipeline, log_program

EPILOG = """\b
Example:
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 glossator run examples/starter.yaml
  glossator run --workers 4 pipeline.yaml
\b
To scale, use --workers, or start the same command on another machine or with
another --slot: the workers share the partitions of the input topics.
\b
Signals: on the first SIGTERM or SIGINT the worker finishes what is in flight,
commits, leaves the group and exits with 0; before it has started to read, it
exits with 0 at once. On the second it exits immediately (143 or 130). On SIGHUP
it reads the pipeline file again: changes of tasks, compute, and what is read from
and written to an event take effect between two micro-batches, without leaving the
group. A file with mistakes changes nothing, and the log gives the reason.
""" + exit_statuses(
    {0: "stopped as asked", 130: "interrupted twice (143: terminated twice)"},
    AccessError, BrokerError, ConfigError, DeviceError, FencedError, ModelError, OffsetError, PoisonError, StuckError,
)  # fmt: skip

_CLOSING = 25.0
"""Seconds a worker may take to end after its drain timeout: 5 for the last commit, 15 for closing, and some."""


def slot_number(value: str, host: str) -> int:
    """Return the slot that ``--slot`` means on the machine called ``host``. Raises click.BadParameter."""
    if value == "host":
        ending = re.search(r"-(\d+)$", host)
        if ending is None:
            raise click.BadParameter(f'the host name "{host}" does not end in a number, as in worker-0')
        value = ending[1]
    if not value.isdecimal() or not value.isascii() or len(value) > 9:
        raise click.BadParameter("must be host, or a whole number from 0 on")
    return int(value)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@patience_option(60.0, " at the start")
@click.option(
    "--slot",
    default="0",
    show_default=True,
    envvar="GLOSSATOR_SLOT",
    metavar="N|host",
    callback=lambda _context, _option, value: slot_number(value, socket.gethostname()),
    help="The stable number of this worker among those of its pipeline. host: the number at the end of the host name, "
    "as in a StatefulSet. With exactly_once or static membership, each worker needs its own.",
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
    help="json: one object per line, for log collectors.",
)
@click.option("--watch", is_flag=True, help="Apply changes to the pipeline file when they are saved.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    envvar="GLOSSATOR_STATE",
    help="Where each slot keeps a small file of the events in hand, by cluster and pipeline, so that an event which "
    "kills the process again and again becomes a dead letter. Default: $XDG_STATE_HOME/glossator.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 256),
    help="Start N workers with slots from --slot on, share the CUDA devices or cores among them, restart those that "
    "die, and exit with the worst status.",
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
    """Read events from Kafka, enrich them and publish them, until stopped."""
    signals = GracefulStop()
    _log_to_stderr(log_level, log_format, slot if workers == 1 else None)
    use_format(ctx, log_format)
    file = load_file(pipeline, check=run_mistakes)
    keys = load_keys(file.pipeline)  # before models, which can take minutes to load
    state = state or Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "glossator"
    if workers > 1:
        options = ["--patience", str(patience), "--log-level", log_level, "--log-format", log_format]
        options += ["--state", str(state), *(["--watch"] * watch)]
        debug = ["--debug"] if ctx.find_root().params.get("debug") else []
        arguments = [*debug, "run", str(pipeline), *options]
        ctx.exit(_supervise(file.pipeline, arguments, workers, first=slot, prefixed=log_format != "json"))
    prepare_process()

    from workers.service import Service

    log_program(slot)
    log_pipeline(file.pipeline, pipeline, config_hash(file.pipeline, keys.fingerprint))
    # Models can take minutes to load, so look first whether the cluster is there.
    cluster = check_cluster(file.pipeline, patience)
    log_cluster(file.pipeline, cluster)
    folder = state / cluster_folder(cluster)
    service = Service(file.pipeline, patience=patience, slot=slot, state=folder)
    service.follow(signals, pipeline, watch)
    status = 0
    try:
        service.run()
    except Exception as error:
        if not service.hung:
            raise
        status = report(ctx, error)
    if service.hung:
        # The shutdown of the interpreter would wait for the thread that hangs.
        logging.shutdown()
        os._exit(status)


def _log_to_stderr(level: str, form: str, slot: int | None) -> None:
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    if form == "json":
        from stream.telemetry.logs import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines(slot))


def _supervise(pipeline: Pipeline, arguments: list[str], workers: int, *, first: int, prefixed: bool) -> int:
    """Run ``workers`` processes of this program with ``arguments`` until told to stop; return the exit status."""
    from workers.process.devices import cuda_devices
    from workers.process.supervisor import again, supervise

    devices = cuda_devices() if pipeline.compute.device in {"auto", "cuda"} else []
    return supervise(
        again(arguments), workers, devices=devices, log=logging.getLogger("glossator"),
        grace=pipeline.drain_timeout_ms / 1000 + _CLOSING, first=first, prefixed=prefixed,
    )  # fmt: skip
