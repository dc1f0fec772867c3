"""The lines that a worker logs at its start: what it is, what it was told to do, and where. One line for each."""

from __future__ import annotations

import logging
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.pipeline.config import Pipeline
from stream.telemetry.build import version
from stream.telemetry.logs import fields

if TYPE_CHECKING:  # importing torch takes seconds
    from workers.chain.chain import Chain
    from workers.encoder.trunk import Trunk

log = logging.getLogger("glossator")


def log_program(slot: int | None) -> None:
    """Log which program this is, and the worker's slot; None if that is still to be found."""
    python = platform.python_version()
    log.info(
        "glossator %s on Python %s, %s", version(), python, "the first free slot" if slot is None else f"slot {slot}",
        extra=fields("version", version=version(), python=python),
    )  # fmt: skip


def log_pipeline(pipeline: Pipeline, file: Path, config: str) -> None:
    """Log which pipeline ``file`` describes; ``config`` is the hash of the configuration, as in the ids of events."""
    log.info(
        "pipeline %s of %s, configuration %s, %s", pipeline.pipeline, file, config, pipeline.delivery,
        extra=fields(
            "pipeline", pipeline=pipeline.pipeline, file=str(file), config=config, delivery=pipeline.delivery
        ),
    )  # fmt: skip


def log_cluster(pipeline: Pipeline, cluster: str) -> None:
    """Log the brokers and the topics; ``cluster`` is the cluster's id, empty if it has none."""
    brokers = str(pipeline.kafka["bootstrap.servers"])
    inputs, outputs = list(pipeline.input.topics), pipeline.output.written[:-1]
    letters = pipeline.output.dead_letter_topic
    log.info(
        "brokers %s%s: reading %s, writing %s, dead letters to %s", brokers, f" (cluster {cluster})" if cluster else "",
        ", ".join(inputs), ", ".join(outputs), letters,
        extra=fields("brokers", brokers=brokers, cluster=cluster, inputs=inputs, outputs=outputs, dead_letters=letters),
    )  # fmt: skip


def log_plan(chain: Chain) -> None:
    """Log what is computed: the stages with their trunks, forwards and tasks, the device and the precision.

    Another line for each trunk whose precision was chosen says why.
    """
    stages = [
        {
            "level": stage.level, "trunk": stage.trunk.name, "forward_tokens": stage.trunk.forward_tokens,
            "side_by_side": stage.trunk.pool.forwards if stage.trunk.pool else 1, "tasks": list(stage.tasks),
        } for stage in chain.stages
    ]  # fmt: skip
    outside = [planned.task.name for planned in chain.plan if planned.stage is None]
    words = [
        f"{stage.trunk.name} in forwards of {stage.trunk.forward_tokens} tokens{_at_a_time(stage.trunk)} for "
        f"{', '.join(stage.tasks)}"
        for stage in chain.stages
    ]
    words += [f"without a model {', '.join(outside)}"] if outside else []
    trunks = {id(stage.trunk): stage.trunk for stage in chain.stages}.values()
    counts = f"{_count(len(stages), 'stage')} on {_count(len(trunks), 'trunk')}, {chain.device} in {chain.precision}"
    log.info(
        "plan: %s", ": ".join([counts if stages else "no model", *(["; ".join(words)] if words else [])]),
        extra=fields(
            "plan", device=chain.device, precision=chain.precision, trunks=len(trunks), stages=stages,
            without_model=outside,
        ),
    )  # fmt: skip
    for trunk in trunks:
        if trunk.reason is not None:
            log.info(
                "%s computes in %s: %s", trunk.name, trunk.precision, trunk.reason,
                extra=fields("precision", trunk=trunk.name, precision=trunk.precision, reason=trunk.reason),
            )  # fmt: skip


def _at_a_time(trunk: Trunk) -> str:
    """Say how many forwards run side by side, and with how many threads; nothing if they run one at a time."""
    pool = trunk.pool
    return f", {pool.forwards} at a time with {_count(pool.threads, 'thread')} each," if pool else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
