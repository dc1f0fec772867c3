"""The heads of checkpoints: their pooling is found by trying; a head that needs more than hidden states is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import pytest
import torch

from schemas.errors import ModelError
from tests.workers import tiny
from tests.workers.encoder.test_trunk import CPU, ids_of, stage
from workers.encoder.trunk import Trunk
from workers.heads.checkpoint import CheckpointHead
from workers.models.checkpoints import load_model, resolve


def test_a_head_that_pools_by_mean_is_found_to_do_so() -> None:
    folder = tiny.checkpoint("modernbert", "sequence", classifier_pooling="mean")
    checkpoint = resolve(str(folder))
    head = CheckpointHead(load_model(checkpoint, "sequence"), "sequence", checkpoint.name)
    assert head._gather == "mean"
    first = resolve(str(tiny.checkpoint("modernbert", "sequence")))
    assert CheckpointHead(load_model(first, "sequence"), "sequence", first.name)._gather == "first"


def test_a_head_that_pools_in_a_way_of_its_own_gets_whole_sequences() -> None:
    checkpoint = resolve(str(tiny.checkpoint("bert", "sequence")))
    whole = load_model(checkpoint, "sequence")

    class Last(torch.nn.Module):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return states[:, -1] + states.amax(1)

    whole.base_model.pooler = Last()
    trunk = whole.base_model
    ids, batch = ids_of([4, 7, 7])
    parts = np.split(ids[batch.tokens], batch.starts[1:-1])
    with torch.inference_mode():
        wanted = np.concatenate([whole(input_ids=torch.from_numpy(part)[None]).logits for part in parts])
        head = CheckpointHead(whole, "sequence", checkpoint.name)
        assert head._gather == "whole"
        logits = head(Trunk(cast(Any, trunk), CPU, torch.float32).forward(batch, ids), batch)
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-5)


def test_a_head_that_needs_token_ids_is_refused() -> None:
    checkpoint = resolve(str(tiny.checkpoint("bert", "sequence")))
    whole = load_model(checkpoint, "sequence")
    forward = whole.forward
    whole.forward = lambda input_ids=None, **rest: forward(input_ids=input_ids + 0, **rest)
    with pytest.raises(ModelError, match="needs more than hidden states"):
        CheckpointHead(whole, "sequence", checkpoint.name)


def test_labels_and_kind_are_read_from_the_checkpoint() -> None:
    folder = tiny.checkpoint("bert", "sequence", problem_type="multi_label_classification")
    checkpoint = resolve(str(folder))
    head = CheckpointHead(load_model(checkpoint, "sequence"), "sequence", checkpoint.name)
    assert head.labels == tiny.LABELS["sequence"]
    assert head.multi_label
    assert not stage("bert", "sequence").outputs[0].head.multi_label


def test_heads_of_forwards_side_by_side_read_their_own_states(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = resolve(str(tiny.checkpoint("bert", "token")))
    head = CheckpointHead(load_model(checkpoint, "token"), "token", checkpoint.name)
    rows = [torch.full((1, 3, 32), float(value)) for value in range(4)]
    _, batch = ids_of([3])
    wanted = [head((states,), batch) for states in rows]
    meet, give = threading.Barrier(len(rows)), head._stub.give

    def give_together(states: torch.Tensor) -> None:
        give(states)
        meet.wait(60)

    monkeypatch.setattr(head._stub, "give", give_together)
    with ThreadPoolExecutor(len(rows)) as threads:
        results = list(threads.map(lambda states: head((states,), batch), rows))
    assert all(torch.equal(result, expected) for result, expected in zip(results, wanted, strict=True))


@pytest.mark.parametrize(("family", "kind"), [("bert", "sequence"), ("modernbert", "sequence"), ("roberta", "token")])
def test_states_in_half_precision_are_read_in_float32(family: str, kind: Any) -> None:
    checkpoint = resolve(str(tiny.checkpoint(family, kind)))
    model = load_model(checkpoint, kind)
    trunk = model.base_model
    head = CheckpointHead(model, kind, checkpoint.name)
    head.place(CPU)
    ids, batch = ids_of([4, 7, 7])
    (states,) = Trunk(cast(Any, trunk), CPU, torch.bfloat16).forward(batch, ids)
    assert states.dtype == torch.bfloat16
    with torch.inference_mode():
        logits = head((states,), batch)
        assert logits.dtype == torch.float32
        torch.testing.assert_close(logits, head((states.float(),), batch), rtol=0, atol=0)
