"""The library: models are loaded once, and shared where they are equal."""

from __future__ import annotations

import numpy as np
import torch

from schemas.pipeline.config import Compute
from schemas.pipeline.tasks import EmbeddingTask
from tests.workers import tiny
from tests.workers.encoder.test_trunk import compute, model, pipeline
from workers.chain.plan import plan
from workers.models.checkpoints import resolve
from workers.models.library import Library


def test_tasks_that_name_one_model_share_its_trunk_and_where_they_can_one_forward() -> None:
    bert = str(tiny.checkpoint("bert", "sequence"))
    config = pipeline(
        {"name": "tone", "task": "sentiment", "model": bert},
        {"name": "same", "task": "text-classification", "model": bert},
        {"name": "vector", "task": "embedding", "model": bert},
        {"name": "short", "task": "embedding", "model": bert, "max_length": 16},
        {"name": "other", "task": "embedding", "model": str(tiny.checkpoint("bert", "embedding"))},
    )
    planned = plan(config.tasks, Library(Compute()))
    assert [list(stage.tasks) for stage in planned.stages] == [["tone", "same", "vector"], ["short"], ["other"]]
    assert planned.stages[0].trunk is planned.stages[1].trunk
    assert planned.stages[0].trunk is not planned.stages[2].trunk
    # Two tasks with the same head share its scores.
    assert len(planned.stages[0].outputs) == 2
    assert planned.models["tone"] == {"model": bert, "revision": resolve(bert).revision}


def test_cls_pooling_takes_the_first_token() -> None:
    folder = str(tiny.checkpoint("bert", "embedding"))
    config = EmbeddingTask(name="v", task="embedding", model=folder, pooling="cls")
    job, (scores,) = compute(plan([config], Library(Compute())).stages[0], ["the quick brown fox"])
    with torch.inference_mode():
        wanted = model("bert", "embedding")(input_ids=torch.tensor([job.windows[0].ids])).last_hidden_state[0, 0]
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-5)
