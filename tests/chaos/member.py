"""One worker in a process of its own, with a model that can be foretold: ``python -m tests.chaos.member``.

Arguments: the pipeline as JSON, seconds of pretended work an event, the slot. From the environment: CHAOS_MUTANT, a
mistake to make. SIGUSR1 makes the next forward stand still for CHAOS_STALL seconds; SIGUSR2 arms the failpoint that
the file CHAOS_FAIL spells.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, cast

from schemas.config import Pipeline
from schemas.document import Document, Failure
from schemas.errors import ForwardError, GlossatorError
from tests.chaos import failpoints, mutants
from tests.chaos.failpoints import Failpoint
from tests.chaos.model import POISON, annotation
from tests.noop import NoopChain
from workers.signals import GracefulStop
from workers.worker import Worker


class ForetoldChain(NoopChain):
    """Annotates with ``model.annotation``; fails what is poison."""

    def __init__(self, delay: float, failpoint: Failpoint) -> None:
        super().__init__(delay)
        self._failpoint = failpoint
        self._stall = float(os.environ.get("CHAOS_STALL", "0"))
        self._stalls = 0
        signal.signal(signal.SIGUSR1, self._ask_stall)

    def _ask_stall(self, *_: Any) -> None:
        self._stalls += 1

    def forward(self, work: list[Document]) -> None:
        super().forward(work)
        if self._stalls:
            self._stalls -= 1
            time.sleep(self._stall)
        self._failpoint.passed("forward")

    def annotate(self, work: list[Document]) -> None:
        for document in work:
            if document.failure is not None:
                continue
            if POISON in document.text:
                document.failure = Failure.of(ForwardError("poison"), "forward", "tone")
            else:
                document.annotations["tone"] = annotation(document.text)


def main(settings: dict[str, Any], delay: float, slot: int) -> None:
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    pipeline = Pipeline.model_validate(settings)
    signals = GracefulStop()
    failpoint = Failpoint()
    signal.signal(signal.SIGUSR2, lambda *_: failpoint.arm(Path(os.environ["CHAOS_FAIL"]).read_text()))
    failpoints.install(failpoint, pipeline.delivery == "exactly_once")
    mutants.install(os.environ.get("CHAOS_MUTANT"))
    worker = Worker(pipeline, cast(Any, ForetoldChain(delay, failpoint)), patience=120, slot=slot)
    signals.stop = worker.stop
    status = 0
    try:
        drained = worker.run()
        print(f"end of the run, drained: {drained}", file=sys.stderr, flush=True)
    except GlossatorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        status = error.exit_code
    except MemoryError as error:
        print(f"MemoryError: {error}", file=sys.stderr, flush=True)
        status = 71
    if worker.hung or status:
        os._exit(status)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
