"""One worker in a process of its own, computing nothing: ``python -m tests.integration.member``.

Arguments: the pipeline as JSON, and seconds of pretended work an event.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, cast

from schemas.config import Pipeline
from tests.noop import NoopChain
from workers.signals import GracefulStop
from workers.worker import Worker


def main(settings: dict[str, Any], delay: float) -> None:
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    signals = GracefulStop()
    worker = Worker(Pipeline.model_validate(settings), cast(Any, NoopChain(delay)), patience=30)
    signals.stop = worker.stop
    drained = worker.run()
    print(
        json.dumps({"polled": worker.stats.polled, "enriched": worker.stats.enriched, "drained": drained}), flush=True
    )
    if not drained:
        os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]))
