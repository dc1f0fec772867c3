"""A process with one worker that computes nothing: ``python -m tests.integration.member``.

Arguments: the pipeline as JSON, seconds of pretended work per event, the slot, seconds to wait for brokers and topics
at the start, and maybe a folder for its journal. With the folder, an event whose text contains "boom" kills the
process, as a fault in C does.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from schemas.document import Document
from schemas.errors import GlossatorError
from schemas.pipeline.config import Pipeline
from tests.noop import NoopChain
from workers.process.journal import Journal
from workers.process.signals import GracefulStop
from workers.worker import Worker


class Fragile(NoopChain):
    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        if any("boom" in document.text for document in work):
            ctypes.string_at(0)
        super().forward(work)


def main(settings: dict[str, Any], delay: float, slot: int, patience: float, state: str | None = None) -> None:
    run(Pipeline.model_validate(settings), Fragile(delay) if state else NoopChain(delay), slot, patience, state)


def run(pipeline: Pipeline, chain: Any, slot: int, patience: float, state: str | None) -> None:
    """Run a worker until SIGTERM, then print what it has done; exit with the status of an error."""
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    signals = GracefulStop()
    journal = Journal(Path(state), pipeline.pipeline, slot) if state else None
    worker = Worker(pipeline, chain, patience=patience, slot=slot, journal=journal)
    signals.stop = worker.stop
    try:
        drained = worker.run()
    except GlossatorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(error.exit_status)
    print(
        json.dumps({"polled": worker.stats.polled, "enriched": worker.stats.enriched, "drained": drained}), flush=True
    )
    if not drained:
        os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), *sys.argv[5:])
