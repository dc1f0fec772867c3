"""``glossator run``: one worker, or several, until told to stop."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NamedTuple

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
    SettingError,
    StuckError,
)
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import PipelineFile, load_file
from stream.kafka.checking import run_mistakes
from stream.kafka.topics import check_cluster
from stream.output.redaction.keys import load_keys
from stream.telemetry.traces import require_libraries
from workers.cli.ending import report, use_format
from workers.cli.parameters import patience_option
from workers.cli.probe import address_option
from workers.cli.schema_files import require_schema
from workers.cli.slots import AUTO, first_free, slot_option
from workers.cli.statuses import exit_statuses
from workers.process.environment import prepare_process
from workers.process.journal import cluster_folder
from workers.process.signals import GracefulStop
from workers.process.start_lines import log_cluster, log_pipeline, log_program
from workers.web.address import VARIABLE, Address

EPILOG = """\b
Example:
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 glossator run examples/starter.yaml
  glossator run --workers 4 pipeline.yaml
\b
To scale, use --workers, or start the same command on another machine or with
another --slot: the workers share the partitions of the input topics. --restart is for
supervisors that cannot tell exit statuses apart, such as Docker.
\b
Signals: on the first SIGTERM or SIGINT the worker finishes what is in flight,
commits, leaves the group and exits with 0; a worker that is still starting exits with
0 at once. On the second signal it exits immediately (143 or 130). On SIGHUP it reads
the pipeline file again: changes of tasks, compute, and what is read from and written to
an event take effect between two micro-batches, without leaving the group. A file with
mistakes changes nothing, and the log gives the reason.
""" + exit_statuses(
    {0: "stopped as asked", 130: "interrupted twice (143: terminated twice)"},
    AccessError, BrokerError, ConfigError, DeviceError, FencedError, ModelError, OffsetError, PoisonError, StuckError,
)  # fmt: skip

_CLOSING = 25.0
"""Seconds a worker may take to end after its drain timeout: 5 for the last commit, 15 for closing, and some."""


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@patience_option(60.0, " at the start")
@click.option(
    "--slot",
    default="0",
    show_default=True,
    envvar="GLOSSATOR_SLOT",
    metavar="N|host|auto",
    callback=slot_option,
    help="The stable number of this worker among those of its pipeline. host: the number at the end of the host name, "
    "as in a StatefulSet. auto: the lowest that no other worker with the same state folder has. With exactly_once or "
    "static membership, each worker needs its own.",
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
    help="Where each slot keeps a small file of the events in progress, by cluster and pipeline, so that an event "
    "which kills the process again and again becomes a dead letter. Default: $XDG_STATE_HOME/glossator.",
)
@click.option(
    "--telemetry",
    metavar="HOST:PORT",
    envvar=VARIABLE,
    show_envvar=True,
    callback=lambda _context, _option, value: address_option(value),
    help="Serve metrics and probes at this address instead of the pipeline file's; further --workers get the next "
    "ports. There is no authentication.",
)
@click.option(
    "--restart",
    is_flag=True,
    help="Start the worker again if its exit status says that this can help. --workers always does.",
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
    slot: int | None,
    log_level: str,
    log_format: str,
    watch: bool,
    state: Path | None,
    telemetry: Address | None,
    restart: bool,
    workers: int,
) -> None:
    """Read events from Kafka, enrich them and publish them, until stopped."""
    if workers > 1 and slot is None:
        raise click.UsageError("--slot auto is for one worker; the slots of --workers follow the one of --slot")
    signals = GracefulStop()
    _log_to_stderr(log_level, log_format, slot if workers == 1 else None)
    use_format(ctx, log_format)
    file = load_file(pipeline, check=run_mistakes)
    _require_traces(file)
    require_schema(file)
    keys = load_keys(file.pipeline)  # before models, which can take minutes to load
    state = state or Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "glossator"
    if workers > 1 or restart:
        options = ["--patience", str(patience), "--log-level", log_level, "--log-format", log_format]
        options += ["--state", str(state), *(["--watch"] * watch)]
        placing = Placing(workers, slot, telemetry, log_format != "json")
        debug = ["--debug"] if ctx.find_root().params.get("debug") else []
        arguments = [*debug, "run", str(pipeline), *options]
        ctx.exit(_supervise(file.pipeline, arguments, placing))
    prepare_process()

    from workers.service import Service

    log_program(slot)
    log_pipeline(file.pipeline, pipeline, config_hash(file.pipeline, keys.fingerprint))
    # Models can take minutes to load, so look first whether the cluster is there.
    cluster = check_cluster(file.pipeline, patience)
    log_cluster(file.pipeline, cluster)
    folder = state / cluster_folder(cluster)

    def claim(number: int) -> Service:
        return Service(file.pipeline, patience=patience, slot=number, state=folder, telemetry=telemetry)

    service = first_free(folder, claim) if slot is None else claim(slot)
    if slot is None:
        _name_slot(log_format, service.slot)
        logging.getLogger("glossator").info("took slot %d", service.slot)
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


def _require_traces(file: PipelineFile) -> None:
    """Raise ConfigError if the file asks for traces and the extra for them is not installed."""
    if file.pipeline.telemetry.traces is not None:
        try:
            require_libraries()
        except SettingError as error:
            raise ConfigError([file.problem(("telemetry", "traces"), str(error))]) from None


def _log_to_stderr(level: str, form: str, slot: int | None) -> None:
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    _name_slot(form, slot)


def _name_slot(form: str, slot: int | None) -> None:
    """Let lines in the form "json" have the number of the slot, if there is one."""
    if form == "json":
        from stream.telemetry.logs import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines(slot))


class Placing(NamedTuple):
    """How many workers there are, and where. ``slot``: of the first; None for a free one, of a single worker."""

    workers: int
    slot: int | None
    telemetry: Address | None
    text: bool

    def options(self, slot: int) -> list[str]:
        """Return the options that differ from worker to worker, for that of ``slot``."""
        address = [] if self.telemetry is None else ["--telemetry", str(self.telemetry.next(slot - (self.slot or 0)))]
        return [*address, *(["--slot", AUTO] if self.slot is None else [])]


def _supervise(pipeline: Pipeline, arguments: list[str], placing: Placing) -> int:
    """Run processes of this program with ``arguments`` until told to stop; return the exit status."""
    from workers.process.devices import cuda_devices
    from workers.process.supervisor import again, supervise

    devices = cuda_devices() if pipeline.compute.device in {"auto", "cuda"} else []
    program = again(arguments)
    return supervise(
        lambda slot: [*program(slot), *placing.options(slot)],  # of an option that is given twice, the last one counts
        placing.workers,
        devices=devices,
        log=logging.getLogger("glossator"),
        grace=pipeline.drain_timeout_ms / 1000 + _CLOSING,
        first=placing.slot or 0,
        prefixed=placing.text and placing.workers > 1,
    )
