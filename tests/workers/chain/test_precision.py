"""A chain turns to bfloat16 only where that is faster and the scores stay the same."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from schemas.document import Document
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain import precision
from workers.chain.chain import Chain
from workers.chain.sample_texts import PAIRS, TEXTS
from workers.encoder.trunk import Trunk

BF16, FP32 = torch.bfloat16, torch.float32
NLI = ("contradiction", "neutral", "entailment")


@pytest.fixture(autouse=True)
def processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with bfloat16 on which it is twice as fast, and a tolerance that tiny random models meet."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setattr(precision, "TOLERANCE", 0.1)
    monkeypatch.setattr(precision, "_gain", lambda *_: 2.0)
    monkeypatch.setattr(precision, "tune", _tune)
    monkeypatch.setattr("workers.chain.chain.tune", _tune)


def _tune(trunk: Trunk, *_: Any) -> None:
    trunk.tuned = True


def task(name: str, seed: int = 0, **settings: Any) -> dict[str, Any]:
    """A classifier with a head of its own on the trunk of all."""
    model = tiny.checkpoint("bert", "sequence", seed=seed, trunk=0)
    return {"name": name, "task": "text-classification", "model": str(model), **settings}


def load(*tasks: dict[str, Any], before: Chain | None = None, **compute: Any) -> Chain:
    chain = Chain.load(pipeline(*tasks, compute={"device": "cpu", **compute}), before=before)
    chain.warm_up()
    return chain


def trunk_of(chain: Chain) -> Trunk:
    (trunk,) = {stage.trunk for stage in chain.stages}
    return trunk


def annotate(chain: Chain, text: str = "the quick brown fox") -> dict[str, Any]:
    document = Document(None, text)
    chain.run([document])
    assert document.failure is None
    return document.annotations


def test_a_trunk_that_is_faster_and_agrees_turns_to_bfloat16_and_the_other_copy_goes() -> None:
    chain = Chain.load(pipeline(task("a"), task("b", 1), compute={"device": "cpu"}))
    before, exact = weakref.ref(trunk_of(chain)), annotate(chain)
    assert chain.precision == "float32"
    assert chain.models["a"].keys() == {"model", "revision"}
    chain.warm_up()
    trunk = trunk_of(chain)
    assert trunk.dtype == BF16
    assert {weight.dtype for weight in trunk._model.parameters()} == {BF16}
    assert trunk.reason is not None
    assert trunk.reason.startswith("2.0 times as fast as float32, and scores differ by at most ")
    assert chain.precision == chain.models["a"]["precision"] == chain.models["b"]["precision"] == "bfloat16"
    gc.collect()
    assert before() is None
    made = annotate(chain)
    assert made["a"]["scores"] == pytest.approx(exact["a"]["scores"], abs=precision.TOLERANCE)
    assert made["b"]["scores"] == pytest.approx(exact["b"]["scores"], abs=precision.TOLERANCE)


def test_scores_that_differ_keep_float32_and_the_reason_names_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain.load(pipeline(task("a"), task("b", 1), compute={"device": "cpu"}))
    trunk = trunk_of(chain)
    monkeypatch.setattr(precision, "TOLERANCE", 1e-4)
    far = iter([0.00005, 0.0123])
    monkeypatch.setattr(precision, "_difference", lambda *_: next(far))
    chain.warm_up()
    assert trunk_of(chain) is trunk
    assert (trunk.dtype, chain.precision) == (FP32, "float32")
    assert trunk.reason is not None
    assert trunk.reason == (
        "in bfloat16 scores of b differ by up to 0.012, and 0.0001 is allowed; compute.dtype: bfloat16 accepts that"
    )
    assert "precision" not in chain.models["a"]


def test_a_gain_that_may_be_noise_keeps_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_gain", lambda *_: 1.1)
    trunk = trunk_of(load(task("a")))
    assert (trunk.dtype, trunk.reason) == (FP32, "bfloat16 is 1.10 times as fast, and less than 1.15 may be noise")


def test_the_gain_is_the_median_of_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    speeds = iter([1.0, 2.0, 1.0, 9.0, 2.0, 3.0])
    monkeypatch.setattr(precision, "speed", lambda *_, **__: next(speeds))
    monkeypatch.setattr(precision, "_SECONDS", 0.0)
    trunk = trunk_of(Chain.load(pipeline(task("a"))))
    assert precision._gain(trunk, trunk) == 2.0


@pytest.mark.parametrize(
    ("dtype", "capabilities", "expected"),
    [("float32", {"bf16": True}, FP32), ("bfloat16", {"bf16": True}, BF16), ("auto", {"avx512_f": True}, FP32)],
)
def test_nothing_is_chosen_against_the_file_or_without_instructions(
    dtype: str, capabilities: dict[str, bool], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    chain = load(task("a"), dtype=dtype)
    assert (trunk_of(chain).dtype, trunk_of(chain).reason) == (expected, None)
    assert chain.models["a"].get("precision", "float32") == chain.precision


def test_what_fails_in_bfloat16_runs_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def converted(*_: Any) -> Trunk:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Trunk, "converted", converted)
    chain = load(task("a"))
    assert trunk_of(chain).dtype == FP32
    assert trunk_of(chain).reason == "bfloat16 fails on the texts that it is compared on (RuntimeError)"
    annotate(chain)


def test_a_chain_that_takes_over_shares_what_was_chosen_and_does_not_measure_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load(task("a"))
    monkeypatch.setattr(precision, "_gain", lambda *_: pytest.fail("measured again"))
    after = load(task("a"), task("b", 1), before=before)
    assert trunk_of(after) is trunk_of(before)
    assert after.models["b"]["precision"] == "bfloat16"


def test_a_new_task_that_differs_gets_its_own_float32_and_the_old_chain_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load(task("a"))
    monkeypatch.setattr(precision, "TOLERANCE", 0.0)
    after = load(task("a"), task("b", 1), before=before)
    assert (trunk_of(before).dtype, trunk_of(after).dtype) == (BF16, FP32)
    assert (before.precision, after.precision) == ("bfloat16", "float32")
    again = load(task("b", 1), before=after)
    assert trunk_of(again) is trunk_of(after)


def test_weights_tuned_for_the_precision_of_the_file_are_loaded_again_for_a_choice() -> None:
    before = load(task("a"), dtype="float32")
    assert trunk_of(load(task("a"), dtype="float32", before=before)) is trunk_of(before)
    after = load(task("a"), before=before)
    assert (trunk_of(before).dtype, trunk_of(after).dtype) == (FP32, BF16)


def test_annotations_of_another_precision_are_not_taken_from_the_cache() -> None:
    before = load(task("a"), dtype="float32", cache=10)
    annotate(before)
    for dtype, hits in (("float32", 1), ("bfloat16", 1), ("auto", 2)):
        after = load(task("a"), dtype=dtype, cache=10, before=before)
        annotate(after)
        assert after.cache is not None
        assert after.cache.hits == hits, dtype


@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta-v2"])
def test_every_kind_of_head_is_compared(family: str) -> None:
    def model(kind: str, **settings: Any) -> str:
        return str(tiny.checkpoint(family, kind, **settings))

    nli = model("sequence", labels=NLI)
    chain = Chain.load(pipeline(
        {"name": "tone", "task": "text-classification", "model": model("sequence")},
        {"name": "spans", "task": "token-classification", "model": model("token")},
        {"name": "vector", "task": "embedding", "model": model("embedding")},
        {"name": "subject", "task": "zero-shot", "model": nli, "labels": ["a", "b", "c"]},
        {"name": "claim", "task": "nli", "model": nli, "hypothesis": "$.claim"},
        {"name": "answer", "task": "question-answering", "model": model("span"), "question": "$.question"},
        {"name": "near", "task": "similarity", "model": model("embedding"), "window": 4},
    ))  # fmt: skip
    made = precision._read(dict(enumerate(chain.stages)), chain.plan)
    assert made.keys() == {planned.task.name for planned in chain.plan}
    for name, arrays in made.items():
        assert max(array.max() for array in arrays) <= 1 + 1e-5, name
        assert min(array.min() for array in arrays) >= (-1 - 1e-5 if name in {"vector", "near"} else 0), name
        assert precision._difference(arrays, arrays) == 0
        assert precision._difference(arrays, [array + 0.25 for array in arrays]) == pytest.approx(0.25)
    assert len(made["tone"]) >= len(TEXTS)
    assert len(made["claim"]) > 10  # long texts have no room beside each other in a tiny model


def test_clusters_are_equal_or_not() -> None:
    clusters = [[[(0, 2), (5, 7)]], []]
    assert precision._difference(clusters, [[[(0, 2), (5, 7)]], []]) == 0
    assert precision._difference(clusters, [[[(0, 2), (5, 8)]], []]) == math.inf


def test_scores_that_are_not_numbers_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, of: Callable[..., Any] = precision._read) -> Any:
        return {name: [array * np.nan for array in arrays] for name, arrays in of(*_).items()}

    monkeypatch.setattr(precision, "_read", read)
    assert trunk_of(load(task("a"))).dtype == FP32


def test_the_texts_are_many_and_differ() -> None:
    assert 40 <= len(set(TEXTS)) == len(TEXTS) == len(PAIRS) <= 60
