"""Reads reviewers' decisions from a topic, for ``glossator train``."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BrokerError
from schemas.pipeline.loader import load_file
from stream.codecs.formats import codec
from stream.kafka.checking import run_mistakes
from stream.kafka.reader import Reader
from workers.learning.decisions import Decisions

if TYPE_CHECKING:
    from rich.progress import Progress

    from workers.learning.examples import Task

_PAUSE = 0.5
"""Seconds to wait for records before looking whether there are any left."""
_STANDSTILL = 60.0
"""Seconds without a record after which reading has failed."""


def read_decisions(
    pipeline: Path, topic: str, task: Task, progress: Progress, *, path: str, max_rows: int, patience: float
) -> Decisions:
    """Read ``topic`` from its beginning to where it ends now, without joining a group.

    Args:
        pipeline: the pipeline file, for the brokers, the text of an event, and the unit of offsets.
        topic: the topic to read.
        task: the task to train for.
        progress: shows how much has been read.
        path: where in an event the decision is.
        max_rows: how many decisions to use at most.
        patience: seconds to wait for brokers and the topic.

    Raises:
        ConfigError: the pipeline file is wrong.
        BrokerError: as ``Reader`` raises it, or if nothing more arrives before the end.
    """
    config = load_file(pipeline, check=run_mistakes).pipeline
    unit = config.output.offset_unit
    decisions = Decisions(topic, task, codec(config.input).decode, path=path, unit=unit, max_rows=max_rows)
    with closing(Reader(config.kafka, f"{config.pipeline}.train")) as reader:
        reader.open([topic], "beginning", patience)
        left = {place: end - reader.starts[place] for place, end in reader.ends.items()}
        total = sum(left.values())
        bar = progress.add_task(f"reading {topic}", total=total)
        arrived = time.monotonic()
        while not reader.done:
            for record in reader.poll(_PAUSE):
                place = (record.assignment.topic, record.assignment.partition)
                if record.offset < reader.ends[place]:
                    decisions.add(record)
                    left[place] = reader.ends[place] - record.offset - 1
                    arrived = time.monotonic()
            progress.update(bar, completed=total - sum(left.values()))
            if time.monotonic() - arrived > _STANDSTILL:
                raise BrokerError(f"{topic}: nothing has arrived for {_STANDSTILL:.0f} s, and its end is not reached")
        progress.remove_task(bar)
    return decisions
