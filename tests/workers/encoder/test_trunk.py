"""Parity: what a trunk and its head give on packed batches is what transformers gives text by text."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import DeviceError, ModelError
from schemas.pipeline.config import Compute, Pipeline
from schemas.pipeline.tasks import EmbeddingTask
from tests.workers import tiny
from tests.workers.texts import texts, words
from workers.chain.forward import Output
from workers.chain.job import Job
from workers.chain.plan import plan
from workers.chain.stage import Stage
from workers.encoder.linear import ReorderedLinear
from workers.encoder.packing import flat_starts, pack
from workers.encoder.trunk import Trunk
from workers.heads.checkpoint import CheckpointHead
from workers.models.checkpoints import Checkpoint, load_model, pooling_of, resolve
from workers.models.device import choose_device
from workers.models.library import Library

CPU = torch.device("cpu")
TASKS = {"sequence": "text-classification", "token": "token-classification", "embedding": "embedding"}
EVERY = [(family, kind) for family in tiny.FAMILIES for kind in TASKS]


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
    """A stage of one head, whose scores are left as the model gives them."""
    config = pipeline({"name": "task", "task": TASKS[kind], "model": str(tiny.checkpoint(family, kind)),
                       "max_length": max_length, "stride": stride})  # fmt: skip
    (planned,) = plan(config.tasks, Library(Compute())).stages
    return Stage(planned.trunk, planned.tokenization, [Output(planned.outputs[0].head, "none")])


def compute(found: Stage, texts: list[str], forward_tokens: int = 100) -> tuple[Job, list[np.ndarray]]:
    """The job, and the scores of each of its sequences."""
    found.trunk.forward_tokens = forward_tokens
    documents = [Document(None, text) for text in texts]
    found.prepare(documents, 0, [{"task": (text,)} for text in texts])
    job = found.pack(documents, 0)
    found.forward(job)
    assert not job.failed
    (scores,) = job.scores
    assert scores is not None
    assert scores.dtype == np.float32
    if found.outputs[0].head.per == "token":
        return job, np.split(scores, job.starts[1:-1])
    return job, list(scores)


@cache
def model(family: str, kind: str) -> Any:
    return load_model(resolve(str(tiny.checkpoint(family, kind))), kind)


@torch.inference_mode()
def expected(family: str, kind: str, ids: list[int]) -> np.ndarray:
    """transformers' own class, its ordinary attention, one sequence."""
    row = torch.tensor([ids])
    output = model(family, kind)(input_ids=row, attention_mask=torch.ones_like(row))
    result = output.last_hidden_state.mean(1) if kind == "embedding" else output.logits
    return result[0].numpy()


@pytest.mark.parametrize(("family", "kind"), EVERY)
@settings(deadline=None, max_examples=6)
@given(batch=st.lists(texts, min_size=1, max_size=6, unique=True))
def test_every_family_and_head_equals_transformers(family, kind, batch):
    job, scores = compute(stage(family, kind), batch)
    for window, own in zip(job.windows, scores, strict=True):
        np.testing.assert_allclose(own, expected(family, kind, window.ids), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("family", "kind"), EVERY)
@settings(deadline=None, max_examples=3)
@given(batch=st.lists(words, min_size=1, max_size=3, unique=True), stride=st.sampled_from([0, 5]))
def test_windows_of_long_texts_too(family, kind, batch, stride):
    found = stage(family, kind, 16, stride)
    job, scores = compute(found, [*batch, "the quick brown fox " * 5])
    assert len(job.windows) > len(batch) + 1
    for window, own in zip(job.windows, scores, strict=True):
        np.testing.assert_allclose(own, expected(family, kind, window.ids), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("family", "kind"), EVERY)
@settings(deadline=None, max_examples=4)
@given(batch=st.lists(texts, min_size=2, max_size=5, unique=True), budget=st.integers(1, 200))
def test_packed_equals_one_at_a_time(family, kind, batch, budget):
    together = compute(stage(family, kind), batch, budget)[1]
    alone = [own for text in batch for own in compute(stage(family, kind), [text])[1]]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_who_can_run_packed_is_found_out_and_not_listed(family):
    trunk = stage(family, "embedding").trunk
    if family in tiny.PACKED:
        assert trunk.packed
    if family in tiny.PADDED:
        assert not trunk.packed
    assert trunk.capacity == tiny.LENGTH


def test_a_model_that_takes_the_layout_and_ignores_it_is_padded(monkeypatch):
    """Without an error to go by, only the comparison tells."""
    from transformers import AttentionInterface

    from workers.encoder.attention import PACKED

    def blind(module, query, key, value, attention_mask, scaling=None, **_):
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
    """Hidden states [T, H] of the batch, sequence by sequence."""
    parts = np.split(ids[batch.tokens], batch.starts[1:-1])
    return np.concatenate(
        [model(family, "embedding")(input_ids=torch.from_numpy(part)[None]).last_hidden_state[0] for part in parts]
    )


@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta-v2"])
def test_all_layers_are_given_where_they_are_asked_for(family):
    ids, batch = ids_of([9, 2, 9, 40])
    trunk = stage(family, "embedding").trunk
    states = trunk.forward(batch, ids, every_layer=True)
    assert [layer.shape for layer in states] == [(1, 60, 32)] * 3
    torch.testing.assert_close(states[-1], trunk.forward(batch, ids)[0])


def test_half_precision_is_close_and_still_packed():
    trunk = Trunk(load_model(resolve(str(tiny.checkpoint("bert", "embedding"))), "embedding"), CPU, torch.bfloat16)
    assert trunk.packed
    ids, batch = ids_of([9, 2])
    (states,) = trunk.forward(batch, ids)
    assert states.dtype == torch.bfloat16
    np.testing.assert_allclose(states[0].float(), rows("bert", ids, batch), atol=0.1)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_weights_are_reordered_where_that_is_faster_and_nothing_else_changes(family):
    checkpoint = resolve(str(tiny.checkpoint(family, "embedding")))
    ids, batch = ids_of([9, 2, 9, 40])
    for rates, kept in (((1.0, 2.0), True), ((2.0, 1.0), False)):
        trunk = Trunk(load_model(checkpoint, "embedding"), CPU, torch.float32)
        (before,) = trunk.forward(batch, ids)
        measured = iter(rates)
        trunk.quicken(lambda measured=measured: next(measured))
        linear = [type(module) for module in trunk._model.modules()]
        assert (ReorderedLinear in linear, torch.nn.Linear not in linear) == (kept, kept)
        torch.testing.assert_close(trunk.forward(batch, ids)[0], before, rtol=1e-4, atol=1e-5)


def test_a_torch_that_cannot_reorder_leaves_the_model_as_it_was(monkeypatch):
    trunk = Trunk(load_model(resolve(str(tiny.checkpoint("bert", "embedding"))), "embedding"), CPU, torch.float32)
    made = []

    def broken(linear):
        made.append(linear)
        if len(made) == 3:
            raise RuntimeError("could not create a primitive")
        return ReorderedLinear(linear)

    monkeypatch.setattr("workers.encoder.linear.ReorderedLinear", broken)
    trunk.quicken(lambda: 1.0)
    assert len(made) == 3
    assert not any(isinstance(module, ReorderedLinear) for module in trunk._model.modules())


def test_a_head_that_pools_by_mean_is_found_to_do_so():
    folder = tiny.checkpoint("modernbert", "sequence", classifier_pooling="mean")
    checkpoint = resolve(str(folder))
    head = CheckpointHead(load_model(checkpoint, "sequence"), "sequence", checkpoint.name)
    assert head._gather == "mean"
    first = resolve(str(tiny.checkpoint("modernbert", "sequence")))
    assert CheckpointHead(load_model(first, "sequence"), "sequence", first.name)._gather == "first"


def test_a_head_that_pools_in_a_way_of_its_own_gets_whole_sequences():
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
        logits = head(Trunk(trunk, CPU, torch.float32).forward(batch, ids), batch)
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-5)


def test_a_head_that_needs_token_ids_is_refused():
    checkpoint = resolve(str(tiny.checkpoint("bert", "sequence")))
    whole = load_model(checkpoint, "sequence")
    forward = whole.forward
    whole.forward = lambda input_ids=None, **rest: forward(input_ids=input_ids + 0, **rest)
    with pytest.raises(ModelError, match="needs more than hidden states"):
        CheckpointHead(whole, "sequence", checkpoint.name)


def test_labels_and_kind_are_read_from_the_checkpoint():
    folder = tiny.checkpoint("bert", "sequence", problem_type="multi_label_classification")
    checkpoint = resolve(str(folder))
    head = CheckpointHead(load_model(checkpoint, "sequence"), "sequence", checkpoint.name)
    assert head.labels == tiny.LABELS["sequence"]
    assert head.multi_label
    assert not stage("bert", "sequence").outputs[0].head.multi_label


def test_tasks_that_name_one_model_share_its_trunk_and_where_they_can_one_forward():
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
    # Two tasks, one head, one column of scores.
    assert len(planned.stages[0].outputs) == 2
    assert planned.models["tone"] == {"model": bert, "revision": resolve(bert).revision}


def sentence_files(folder: Any, modules: list[str], pooling: dict[str, Any]) -> Checkpoint:
    import json

    (folder / "1_Pooling").mkdir()
    (folder / "modules.json").write_text(json.dumps([{"type": f"sentence_transformers.models.{m}"} for m in modules]))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return Checkpoint("some/model", folder, "0", {})


def test_pooling_is_what_the_sentence_transformers_files_say(tmp_path):
    modules = ["Transformer", "Pooling", "Normalize"]
    for name, pooling in (("mean", "mean_tokens"), ("cls", "cls_token")):
        folder = tmp_path / name
        folder.mkdir()
        assert pooling_of(sentence_files(folder, modules, {f"pooling_mode_{pooling}": True})) == name
    assert pooling_of(Checkpoint("some/model", tmp_path, "0", {})) == "mean"


@pytest.mark.parametrize(
    ("modules", "pooling"),
    [
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True}),
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}),
        (["Transformer", "Pooling"], {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}),
    ],
)
def test_a_pooling_we_do_not_run_is_refused_because_the_vectors_would_be_wrong(tmp_path, modules, pooling):
    with pytest.raises(ModelError, match="not supported"):
        pooling_of(sentence_files(tmp_path, modules, pooling))


def test_cls_pooling_takes_the_first_token():
    folder = str(tiny.checkpoint("bert", "embedding"))
    config = EmbeddingTask(name="v", task="embedding", model=folder, pooling="cls")
    job, (scores,) = compute(plan([config], Library(Compute())).stages[0], ["the quick brown fox"])
    with torch.inference_mode():
        wanted = model("bert", "embedding")(input_ids=torch.tensor([job.windows[0].ids])).last_hidden_state[0, 0]
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_one_clear_line():
    with pytest.raises(DeviceError, match="torch sees 0 CUDA devices"):
        choose_device(Compute(device="cuda"))
    assert choose_device(Compute()) == (CPU, torch.float32)


def test_tiny_models_are_not_so_random_that_anything_would_pass():
    """Neighbours in a batch matter to a model that sees them: the tests above could fail."""
    ids, batch = ids_of([9, 9])
    with torch.inference_mode():
        seen = model("bert", "embedding")(input_ids=torch.from_numpy(ids)[None]).last_hidden_state[0]
    assert np.abs(seen.numpy() - rows("bert", ids, batch)).max() > 0.05


assert transformers.__version__ >= "5"
