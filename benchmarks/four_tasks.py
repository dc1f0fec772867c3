"""The pipelines that benchmarks measure: a file, or the four tasks of the comparison with peers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.peers.candidates import GLOSSATOR, pipeline, tasks_of
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from workers.chain.chain import Chain

FOUR = "four"
"""Stands for the four tasks where a pipeline file is asked for."""


def four_tasks(**sections: Any) -> Pipeline:
    """Return the pipeline with four tasks on one trunk; ``sections`` are others of the file. Its topics do not exist.

    Missing checkpoints are written.
    """
    file = pipeline(GLOSSATOR, tasks_of("four"), "localhost:9092", "bench")
    return Pipeline.model_validate({**file, "telemetry": {"port": None}, **sections})


def pipeline_of(name: str) -> Pipeline:
    """Return the pipeline of a file, or the four tasks if ``name`` is ``FOUR``. Raises ConfigError."""
    return four_tasks() if name == FOUR else load(name)


def loaded(pipeline: Pipeline) -> Chain:
    """Load the models on a thread named "load", as a worker does, and warm them up. Raises ModelError, DeviceError."""
    with ThreadPoolExecutor(1, "load") as executor:
        chain = executor.submit(Chain.load, pipeline).result()
        executor.submit(chain.warm_up).result()
    return chain
