"""A process with one worker whose forwards run side by side: ``python -m tests.integration.lanes``.

Arguments: those of ``member``, but for the seconds of pretended work: after so many micro-batches that were begun ahead
the process kills itself while their forwards run (0: never). It logs each micro-batch that is begun ahead.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from concurrent.futures import Future
from typing import Any, cast

from schemas.pipeline.config import Pipeline
from tests.integration.member import run
from workers.chain import job
from workers.chain.chain import Chain, Work
from workers.encoder.pool import Pool

BEGUN = "has begun ahead"
_FORWARD, _TOKEN = 0.002, 0.0002
"""Seconds that a forward takes longer, and that each of its tokens does: long texts keep a core busy for longer."""


class SideBySide(Chain):
    """Two forwards run side by side, of few tokens each, and last long enough for the next micro-batch to begin."""

    dies_after = 0
    _begun = 0

    def slow_down(self) -> None:
        """Prepare the trunks; call it once."""
        job._WORTH = 0
        for trunk in {id(stage.trunk): stage.trunk for stage in self.stages}.values():
            trunk.forward_tokens, trunk.pool, forward = 64, Pool(2, 1), trunk.forward

            def slow(batch: Any, *rest: Any, forward: Any = forward) -> Any:
                time.sleep(_FORWARD + _TOKEN * len(batch.tokens))
                return forward(batch, *rest)

            trunk.forward = slow  # type: ignore[assignment, method-assign]

    def begin(self, work: Work, pool: Pool, count: int) -> list[Future[Any]]:
        futures = super().begin(work, pool, count)
        if futures:
            self._begun += 1
            logging.getLogger("lanes").info("%d forwards of a micro-batch %s", len(futures), BEGUN)
            if self._begun == self.dies_after:
                os.kill(os.getpid(), signal.SIGKILL)
        return futures


if __name__ == "__main__":
    pipeline = Pipeline.model_validate(json.loads(sys.argv[1]))
    chain = cast(SideBySide, SideBySide.load(pipeline))
    chain.slow_down()
    chain.dies_after = int(float(sys.argv[2]))
    run(pipeline, chain, int(sys.argv[3]), float(sys.argv[4]), sys.argv[5] if len(sys.argv) > 5 else None)
