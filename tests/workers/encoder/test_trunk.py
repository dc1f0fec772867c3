"""Parity: a trunk and its head on packed batches equal transformers on one text at a time."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.pipeline.config import Compute, Pipeline
from tests.workers import tiny
from tests.workers.families import slow_but_for_some
from tests.workers.texts import texts, words
from workers.chain.forward import Output
from workers.chain.job import Job
from workers.chain.plan import plan
from workers.chain.stage import Stage
from workers.encoder.linear import ReorderedLinear
from workers.encoder.packing import flat_starts, pack
from workers.encoder.trunk import Trunk
from workers.models.checkpoints import load_model, resolve
from workers.models.library import Library

CPU = torch.device("cpu")
TASKS = {"sequence": "text-classification", "token": "token-classification", "embedding": "embedding"}
every_family_and_head = pytest.mark.parametrize(
    ("family", "kind"), slow_but_for_some((family, kind) for family in tiny.FAMILIES for kind in TASKS)
)


def pipeline(*tasks: dict[str, Any], **settings: Any) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "test",
        "kafka": {"bootstrap.servers": "localhost:9092"},
        "input": {"topics": ["in"]},
        "output": {"topic": "out"},
        "tasks": list(tasks),
        **settings,
    })  # fmt: skip


@cache
def stage(family: str, kind: str, max_length: int | None = None, stride: int | None = None) -> Stage:
    """A stage with one head, whose scores are the model's logits."""
    config = pipeline({"name": "task", "task": TASKS[kind], "model": str(tiny.checkpoint(family, kind)),
                       "max_length": max_length, "stride": stride})  # fmt: skip
    (planned,) = plan(config.tasks, Library(Compute())).stages
    return Stage(planned.trunk, planned.tokenization, [Output(planned.outputs[0].head, "none")])


def compute(stage: Stage, texts: list[str], forward_tokens: int = 100) -> tuple[Job, list[np.ndarray]]:
    """Return the job, and the scores of each of its sequences."""
    stage.trunk.forward_tokens = forward_tokens
    documents = [Document(None, text) for text in texts]
    stage.prepare(documents, 0, [{"task": (text,)} for text in texts])
    job = stage.pack(documents, 0)
    stage.forward(job)
    assert not job.failed
    (scores,) = job.scores
    assert scores is not None
    assert scores.dtype == np.float32
    if stage.outputs[0].head.per == "token":
        return job, np.split(scores, job.starts[1:-1])
    return job, list(scores)


@cache
def model(family: str, kind: Any) -> Any:
    return load_model(resolve(str(tiny.checkpoint(family, kind))), kind)


@torch.inference_mode()
def expected(family: str, kind: str, ids: list[int]) -> np.ndarray:
    """The result of transformers' own class with its ordinary attention, for one sequence."""
    row = torch.tensor([ids])
    output = model(family, kind)(input_ids=row, attention_mask=torch.ones_like(row))
    result = output.last_hidden_state.mean(1) if kind == "embedding" else output.logits
    return result[0].numpy()


@every_family_and_head
@settings(deadline=None, max_examples=6)
@given(batch=st.lists(texts, min_size=1, max_size=6, unique=True))
def test_every_family_and_head_equals_transformers(family: str, kind: str, batch: Any) -> None:
    job, scores = compute(stage(family, kind), batch)
    for window, row in zip(job.windows, scores, strict=True):
        np.testing.assert_allclose(row, expected(family, kind, window.ids), rtol=1e-4, atol=1e-4)


@every_family_and_head
@settings(deadline=None, max_examples=3)
@given(batch=st.lists(words, min_size=1, max_size=3, unique=True), stride=st.sampled_from([0, 5]))
def test_windows_of_long_texts_too(family: str, kind: str, batch: Any, stride: int) -> None:
    cutting = stage(family, kind, 16, stride)
    job, scores = compute(cutting, [*batch, "the quick brown fox " * 5])
    assert len(job.windows) > len(batch) + 1
    for window, row in zip(job.windows, scores, strict=True):
        np.testing.assert_allclose(row, expected(family, kind, window.ids), rtol=1e-4, atol=1e-4)


@every_family_and_head
@settings(deadline=None, max_examples=4)
@given(batch=st.lists(texts, min_size=2, max_size=5, unique=True), budget=st.integers(1, 200))
def test_packed_equals_one_at_a_time(family: str, kind: str, batch: Any, budget: int) -> None:
    together = compute(stage(family, kind), batch, budget)[1]
    alone = [row for text in batch for row in compute(stage(family, kind), [text])[1]]
    for packed, unpacked in zip(together, alone, strict=True):
        np.testing.assert_allclose(packed, unpacked, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_who_can_run_packed_is_found_out_and_not_listed(family: str) -> None:
    trunk = stage(family, "embedding").trunk
    if family in tiny.PACKED:
        assert trunk.packed
    if family in tiny.PADDED:
        assert not trunk.packed
    assert trunk.capacity == tiny.LENGTH


def test_a_model_that_takes_the_layout_and_ignores_it_is_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It raises no error, so only the comparison finds it."""
    from transformers import AttentionInterface

    from workers.encoder.attention import PACKED

    def blind(
        module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **_: Any
    ) -> Any:
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=scaling)
        return out.transpose(1, 2).contiguous(), None

    honest = AttentionInterface()[PACKED]
    AttentionInterface.register(PACKED, blind)
    try:
        trunk = Trunk(load_model(resolve(str(tiny.checkpoint("bert", "embedding"))), "embedding"), CPU, torch.float32)
    finally:
        AttentionInterface.register(PACKED, honest)
    assert not trunk.packed
    ids, batch = ids_of([7, 3])
    (states,) = trunk.forward(batch, ids)
    np.testing.assert_allclose(states[0], rows("bert", ids, batch), rtol=1e-4, atol=1e-5)


def ids_of(lengths: list[int]) -> tuple[np.ndarray, Any]:
    sizes = np.array(lengths)
    ids = np.random.default_rng(1).integers(5, 100, sizes.sum())
    (batch,) = pack(sizes, flat_starts(sizes), np.arange(len(sizes)), 10_000)
    return ids, batch


@torch.inference_mode()
def rows(family: str, ids: np.ndarray, batch: Any) -> np.ndarray:
    """The hidden states [T, H] of the batch, computed one sequence at a time."""
    parts = np.split(ids[batch.tokens], batch.starts[1:-1])
    return np.concatenate(
        [model(family, "embedding")(input_ids=torch.from_numpy(part)[None]).last_hidden_state[0] for part in parts]
    )


@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta-v2"])
def test_all_layers_are_given_where_they_are_asked_for(family: str) -> None:
    ids, batch = ids_of([9, 2, 9, 40])
    trunk = stage(family, "embedding").trunk
    states = trunk.forward(batch, ids, every_layer=True)
    assert [layer.shape for layer in states] == [(1, 60, 32)] * 3
    torch.testing.assert_close(states[-1], trunk.forward(batch, ids)[0])


def test_few_numbers_of_rows_reach_the_model_and_its_states_have_those_of_the_batch() -> None:
    trunk = stage("bert", "embedding").trunk
    seen = set()
    hook = trunk._model.register_forward_pre_hook(
        lambda *args: seen.add(args[2]["input_ids"].shape[1]), with_kwargs=True
    )
    with torch.inference_mode():
        for tokens in range(17, 49):
            ids, lengths = np.arange(5, 5 + tokens), np.array([tokens])
            (batch,) = pack(lengths, flat_starts(lengths), np.arange(1), tokens)
            assert {layer.shape[1] for layer in trunk.forward(batch, ids, every_layer=True)} == {tokens}
    hook.remove()
    assert seen == {32, 48}


def test_half_precision_is_close_and_still_packed() -> None:
    trunk = Trunk(load_model(resolve(str(tiny.checkpoint("bert", "embedding"))), "embedding"), CPU, torch.bfloat16)
    assert trunk.packed
    ids, batch = ids_of([9, 2])
    (states,) = trunk.forward(batch, ids)
    assert states.dtype == torch.bfloat16
    np.testing.assert_allclose(states[0].float(), rows("bert", ids, batch), atol=0.1)


def test_rotary_frequencies_are_not_rounded() -> None:
    model = load_model(resolve(str(tiny.checkpoint("modernbert", "embedding"))), "embedding")
    frequencies = [buffer.clone() for buffer in model.buffers()]
    trunk = Trunk(model, CPU, torch.bfloat16)
    assert frequencies
    assert all(map(torch.equal, trunk._model.buffers(), frequencies))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_copy_in_half_precision_leaves_the_trunk_as_it_was(family: str) -> None:
    trunk = Trunk(load_model(resolve(str(tiny.checkpoint(family, "embedding"))), "embedding"), CPU, torch.float32)
    ids, batch = ids_of([9, 2, 9, 40])
    (before,) = trunk.forward(batch, ids)
    copy = trunk.converted(torch.bfloat16)
    assert (copy.dtype, copy.precision, copy.packed) == (torch.bfloat16, "bfloat16", trunk.packed)
    assert {weight.dtype for weight in copy._model.parameters()} == {torch.bfloat16}
    assert torch.bfloat16 not in {buffer.dtype for buffer in copy._model.buffers()}
    (states,) = copy.forward(batch, ids)
    assert states.dtype == torch.bfloat16
    assert 0 < float((states - before).norm() / before.norm()) < 0.05
    assert (trunk.dtype, trunk.precision) == (torch.float32, "float32")
    assert torch.equal(trunk.forward(batch, ids)[0], before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", slow_but_for_some(tiny.FAMILIES))
def test_weights_are_reordered_where_that_is_faster_and_nothing_else_changes(family: str, dtype: torch.dtype) -> None:
    checkpoint = resolve(str(tiny.checkpoint(family, "embedding")))
    ids, batch = ids_of([9, 2, 9, 40])
    for rates, kept in (((1.0, 2.0), True), ((2.0, 1.0), False)):
        trunk = Trunk(load_model(checkpoint, "embedding"), CPU, dtype)
        (before,) = trunk.forward(batch, ids)
        measured = iter(rates)
        trunk.quicken(partial(next, measured))
        linear = [type(module) for module in trunk._model.modules()]
        assert (ReorderedLinear in linear, torch.nn.Linear not in linear) == (kept, kept)
        tolerance = 1e-5 if dtype == torch.float32 else 0.1
        torch.testing.assert_close(trunk.forward(batch, ids)[0], before, rtol=10 * tolerance, atol=tolerance)


def test_a_torch_that_cannot_reorder_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = Trunk(load_model(resolve(str(tiny.checkpoint("bert", "embedding"))), "embedding"), CPU, torch.float32)
    made = []

    def broken(linear: Any) -> Any:
        made.append(linear)
        if len(made) == 3:
            raise RuntimeError("could not create a primitive")
        return ReorderedLinear(linear)

    monkeypatch.setattr("workers.encoder.linear.ReorderedLinear", broken)
    trunk.quicken(lambda: 1.0)
    assert len(made) == 3
    assert not any(isinstance(module, ReorderedLinear) for module in trunk._model.modules())


def test_tiny_models_are_not_so_random_that_anything_would_pass() -> None:
    """A model that sees its neighbours in the batch gives other states, so the tests above can fail."""
    ids, batch = ids_of([9, 9])
    with torch.inference_mode():
        seen = model("bert", "embedding")(input_ids=torch.from_numpy(ids)[None]).last_hidden_state[0]
    assert np.abs(seen.numpy() - rows("bert", ids, batch)).max() > 0.05


assert transformers.__version__ >= "5"
