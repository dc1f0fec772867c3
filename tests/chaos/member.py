"""A process with one worker whose model is predictable: ``python -m tests.chaos.member``.

Arguments: the pipeline as JSON, seconds of pretended work for each event, the slot. The environment variable
CHAOS_MUTANT names a mistake to make. SIGUSR1 makes the next forward hang for CHAOS_STALL seconds. SIGUSR2 arms the
failpoint that the file CHAOS_FAIL specifies, or fills the disk for logs (``logs:full``) and frees it (``logs:free``).
Files beside CHAOS_FAIL mark what has happened.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, cast

from schemas.document import Document, Failure
from schemas.errors import ForwardError, GlossatorError
from schemas.pipeline.config import Pipeline
from tests.chaos import clock, failpoints, mutants
from tests.chaos.crew import IN_ORDER
from tests.chaos.failpoints import Failpoint
from tests.chaos.model import POISON, annotation
from tests.noop import NoopChain
from workers.process.signals import GracefulStop
from workers.worker import Worker

_FORMAT = "%(asctime)s %(name)s %(message)s"


class ForetoldChain(NoopChain):
    """Annotates with ``model.annotation``, and fails poison events."""

    def __init__(self, delay: float, failpoint: Failpoint) -> None:
        super().__init__(delay)
        self._failpoint = failpoint
        self._stall = float(os.environ.get("CHAOS_STALL", "0"))
        self._stalls = 0
        signal.signal(signal.SIGUSR1, self._ask_stall)

    def _ask_stall(self, *_: Any) -> None:
        self._stalls += 1

    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        super().forward(work)
        if self._stalls:
            self._stalls -= 1
            _mark("stall")
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


class StandardError:
    """Standard error, which can act like a full disk (full(4)); log lines still reach the harness meanwhile."""

    def __init__(self) -> None:
        self._true = os.dup(2)
        self._kept = logging.StreamHandler(os.fdopen(os.dup(2), "w"))
        self._kept.setFormatter(logging.Formatter(_FORMAT))

    def be(self, what: str) -> None:
        if what == "full":
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, 2)
            os.close(full)
            logging.getLogger().addHandler(self._kept)
        else:
            logging.getLogger().removeHandler(self._kept)
            os.dup2(self._true, 2)


def main(settings: dict[str, Any], delay: float, slot: int) -> None:
    logging.basicConfig(level="INFO", stream=sys.stderr, format=_FORMAT)
    clock.mend_sleep()
    pipeline = Pipeline.model_validate(settings)
    signals = GracefulStop()
    failpoint = Failpoint(_mark)
    error = StandardError()

    def told(*_: Any) -> None:
        spelled = Path(os.environ["CHAOS_FAIL"]).read_text()
        if spelled.startswith("logs:"):
            error.be(spelled.removeprefix("logs:"))
            _mark(spelled)
        else:
            failpoint.arm(spelled)

    signal.signal(signal.SIGUSR2, told)
    failpoints.install(failpoint, pipeline.delivery == "exactly_once")
    mutants.install(os.environ.get("CHAOS_MUTANT"))
    worker = Worker(pipeline, cast(Any, ForetoldChain(delay, failpoint)), patience=120, slot=slot)
    signals.stop = worker.stop
    status = 0
    try:
        drained = worker.run()
        _say(f"end of the run, drained: {drained}")
        if worker.stats.polled and not worker.hung:
            _say(IN_ORDER)
    except GlossatorError as reason:
        _say(f"{type(reason).__name__}: {reason}")
        status = reason.exit_status
    except MemoryError as reason:
        _say(f"MemoryError: {reason}")
        status = 71
    if worker.hung or status:
        os._exit(status)


def _mark(what: str) -> None:
    """Tell the harness with a new file that ``what`` has happened; its time is that of the true clock."""
    Path(os.environ["CHAOS_FAIL"]).with_name(f"struck-{os.getpid()}-{what}").write_text("")


def _say(what: str) -> None:
    with contextlib.suppress(OSError):  # the disk for logs may be full
        print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
