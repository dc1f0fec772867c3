"""One worker in a process of its own, computing nothing: ``python -m tests.integration.member``.

Arguments: the pipeline as JSON, seconds of pretended work an event, and the slot.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, cast

from schemas.config import Pipeline
from schemas.errors import GlossatorError
from tests.noop import NoopChain
from workers.signals import GracefulStop
from workers.worker import Worker


def main(settings: dict[str, Any], delay: float, slot: int) -> None:
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    signals = GracefulStop()
    worker = Worker(Pipeline.model_validate(settings), cast(Any, NoopChain(delay)), patience=30, slot=slot)
    signals.stop = worker.stop
    try:
        drained = worker.run()
    except GlossatorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(error.exit_code)
    print(
        json.dumps({"polled": worker.stats.polled, "enriched": worker.stats.enriched, "drained": drained}), flush=True
    )
    if not drained:
        os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
