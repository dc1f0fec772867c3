from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Encoding

from schemas.document import Document, Failure
from schemas.errors import AnnotateError, DeviceError, ModelError
from tests.workers import tiny
from tests.workers.encoder.test_trunk import expected, pipeline
from workers.chain.chain import Chain
from workers.chain.stage import Stage
from workers.chain.trial import check
from workers.tasks.base import Task

TEXTS = [
    "the quick brown fox",
    "Angela Merkel praised the coffee",
    "",
    "dogs \N{THUMBS UP SIGN} again",
    "again and again " * 40,
    "Café",
    "one two three four five six",
]


@pytest.fixture
def chain() -> Chain:
    """A classifier and a tagger of one family, and one of a padded family: three stages. Tests may break it."""
    return Chain.load(pipeline(
        {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))},
        {"name": "spans", "task": "token-classification", "model": str(tiny.checkpoint("roberta", "token"))},
        {"name": "vector", "task": "embedding", "model": str(tiny.checkpoint("mpnet", "embedding"))},
        {"name": "same", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))},
    ))  # fmt: skip


def documents(texts: list[str] = TEXTS) -> list[Document]:
    return [Document(None, text) for text in texts]


def annotated(chain: Chain, texts: list[str] = TEXTS) -> list[dict[str, Any]]:
    batch = documents(texts)
    chain.run(batch)
    assert not any(document.failure for document in batch)
    return [document.annotations for document in batch]


def failure_of(document: Document) -> Failure:
    assert document.failure is not None
    return document.failure


def encoded(stage: Stage, text: str) -> list[Encoding]:
    (windows,) = stage.tokenization.encode([text])
    assert isinstance(windows, list)
    return windows


def close(value: Any, expected_value: Any) -> bool:
    """Equal except for rounding: the last digits of scores depend on what else is in the forward."""
    if isinstance(value, dict):
        return value.keys() == expected_value.keys() and all(close(value[key], expected_value[key]) for key in value)
    if isinstance(value, list):
        return len(value) == len(expected_value) and all(map(close, value, expected_value))
    return value == pytest.approx(expected_value, abs=1e-4) if isinstance(value, float) else value == expected_value


def sizes(chain: Chain, monkeypatch: pytest.MonkeyPatch, limit: int | None = None) -> list[list[int]]:
    """Records the sequence lengths of every forward; raises out of memory above ``limit`` tokens."""
    forwards: list[list[int]] = []
    for trunk in {stage.trunk for stage in chain.stages}:

        def forward(batch: Any, ids: Any, *rest: Any, original: Any = trunk.forward) -> Any:
            forwards.append(np.diff(batch.starts).tolist())
            if limit is not None and len(batch.tokens) > limit:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return original(batch, ids, *rest)

        monkeypatch.setattr(trunk, "forward", forward)
    return forwards


def test_every_document_gets_every_annotation_in_the_order_of_the_pipeline(chain: Chain) -> None:
    for text, by_task in zip(TEXTS, annotated(chain), strict=True):
        assert list(by_task) == ["tone", "spans", "vector", "same"]
        assert by_task["tone"] == by_task["same"]
        assert all(0 <= span["start"] < span["end"] <= len(text) for span in by_task["spans"]["spans"])
    assert chain.models.keys() == {"tone", "spans", "vector", "same"}


def test_what_a_document_gets_does_not_depend_on_its_company(chain: Chain) -> None:
    together = annotated(chain)
    for text, by_task in zip(TEXTS, together, strict=True):
        assert close(annotated(chain, [text])[0], by_task)


def test_annotations_are_made_of_the_models_own_scores(chain: Chain) -> None:
    (annotations,) = annotated(chain, ["the quick brown fox"])
    window = encoded(chain.stages[0], "the quick brown fox")[0]
    logits = torch.from_numpy(expected("bert", "sequence", window.ids))
    assert annotations["tone"]["scores"] == pytest.approx(
        dict(zip(tiny.LABELS["sequence"], logits.softmax(-1).tolist(), strict=True)), abs=1e-4
    )


def test_tokens_are_counted_over_all_stages(chain: Chain) -> None:
    (document,) = documents(["the quick brown fox"])
    chain.prepare([document])
    by_stage = [encoded(stage, document.text) for stage in chain.stages]
    assert document.tokens == sum(len(window) for windows in by_stage for window in windows)


def test_equal_texts_are_computed_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    forwards = sizes(chain, monkeypatch)
    once = annotated(chain, ["the quick brown fox", "dogs"])
    tokens = sum(map(sum, forwards))
    forwards.clear()
    many = annotated(chain, ["the quick brown fox", "dogs"] * 5)
    assert sum(map(sum, forwards)) == tokens
    assert all(close(annotations, once[n % 2]) for n, annotations in enumerate(many))


def test_documents_that_failed_before_are_left_alone(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure("decode", "DecodeError", "no JSON")
    batch = documents(["dogs", "", "fox"])
    batch[1].failure = failure
    chain.run(batch)
    assert batch[1].failure is failure
    assert not batch[1].annotations
    assert batch[0].annotations
    assert batch[2].annotations
    forwards = sizes(chain, monkeypatch)
    for document in batch:
        document.failure = failure
    chain.run(batch)
    chain.run([])
    assert forwards == []


def test_a_text_the_tokenizer_refuses_fails_alone(chain: Chain) -> None:
    wanted = annotated(chain, ["dogs", "fox"])
    batch = documents(["dogs", "a lone \udc00", "fox"])
    chain.run(batch)
    failure = batch[1].failure
    assert failure is not None
    assert (failure.stage, failure.error) == ("tokenize", "TokenizeError")
    assert [close(batch[n].annotations, wanted[n // 2]) for n in (0, 2)] == [True, True]


def test_a_token_without_an_embedding_never_reaches_the_device(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.stages[0].trunk.vocabulary = 20
    batch = documents(["", "the quick brown fox", ""])
    chain.run(batch)
    assert [document.failure is None for document in batch] == [True, False, True]
    assert failure_of(batch[1]).stage == "tokenize"


def poison(chain: Chain, monkeypatch: pytest.MonkeyPatch, text: str, error: Exception) -> list[int]:
    """The first stage raises if a forward contains a token of ``text``; returns the sizes of the forwards."""
    stage = chain.stages[0]
    (mark, *_) = encoded(stage, text)[0].ids[1:]
    original, forwards = stage.trunk.forward, []

    def forward(batch: Any, ids: Any, *rest: Any) -> Any:
        forwards.append(len(batch))
        if mark in ids[batch.tokens]:
            raise error
        return original(batch, ids, *rest)

    monkeypatch.setattr(stage.trunk, "forward", forward)
    return forwards


def test_a_failing_forward_is_bisected_until_the_poison_stands_alone(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"the brown {'dog ' * n}" for n in range(1, 17)]
    wanted = annotated(chain, texts)
    # The poison is there twice: equal texts are one sequence, and every document that reads it fails.
    batch = documents([*texts[:5], "\N{PILE OF POO}", *texts[5:], "\N{PILE OF POO}"])
    forwards = poison(chain, monkeypatch, "\N{PILE OF POO}", RuntimeError("secret text of an event"))
    chain.stages[0].trunk.forward_tokens = 10_000
    chain.run(batch)
    failed = [n for n, document in enumerate(batch) if document.failure]
    assert failed == [5, 17]
    for n in failed:
        assert failure_of(batch[n]).stage == "forward"
        assert failure_of(batch[n]).error == "RuntimeError"
        assert failure_of(batch[n]).task is None
        assert "secret" not in failure_of(batch[n]).message
    assert all(close(survivor.annotations, wanted[n]) for n, survivor in enumerate([*batch[:5], *batch[6:17]]))
    # 17 sequences: no more than two forwards at each of the five halvings.
    assert len(forwards) <= 1 + 2 * 5


@pytest.mark.parametrize("kind", ["CUDA error: device-side assert triggered", "CUDA error: an illegal memory access"])
def test_a_broken_device_stops_the_worker_instead_of_failing_every_event(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    forwards = poison(chain, monkeypatch, "the", torch.AcceleratorError(kind))
    with pytest.raises(DeviceError) as caught:
        chain.run(documents())
    assert len(forwards) == 1
    assert "\n" not in str(caught.value)


def test_out_of_memory_halves_the_forward_and_is_remembered(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = annotated(chain)
    trunk = chain.stages[0].trunk
    for stage in chain.stages:
        stage.trunk.forward_tokens = 10_000
    forwards = sizes(chain, monkeypatch, limit=60)
    got = annotated(chain)
    assert all(map(close, got, wanted))
    assert trunk.forward_tokens <= 60
    assert any(sum(lengths) > 60 for lengths in forwards)
    forwards.clear()
    annotated(chain)
    assert all(sum(lengths) <= 60 for lengths in forwards)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried to "
                     "allocate 8 bytes. Error code 12 (Cannot allocate memory)"),
        torch.AcceleratorError("CUDA error: out of memory"),
        MemoryError(),
    ],
)  # fmt: skip
def test_a_sequence_that_never_fits_fails_alone_with_a_reason(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    before = chain.stages[0].trunk.forward_tokens
    poison(chain, monkeypatch, "\N{PILE OF POO}", error)
    batch = documents(["\N{PILE OF POO}", "dogs", "fox"])
    chain.run(batch)
    assert [document.failure is None for document in batch] == [False, True, True]
    assert (failure_of(batch[0]).stage, failure_of(batch[0]).error) == ("forward", "ForwardError")
    assert "no memory for a sequence of" in failure_of(batch[0]).message
    assert chain.stages[0].trunk.forward_tokens < before


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_fail_their_own_document(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, stage: Any, value: Any
) -> None:
    texts = ["dogs", "\N{PILE OF POO} \N{PILE OF POO}", "fox"]
    wanted = annotated(chain, ["dogs", "fox"])
    broken = chain.stages[stage]
    mark = encoded(broken, "dogs \N{PILE OF POO}")[0].ids[-2]
    original = broken.trunk.forward

    def forward(batch: Any, ids: Any, *rest: Any) -> Any:
        (states,) = original(batch, ids, *rest)
        for number in range(len(batch)):
            place = slice(batch.starts[number], batch.starts[number + 1])
            if mark in ids[batch.tokens[place]]:
                states[0, place] = value
        return (states,)

    monkeypatch.setattr(broken.trunk, "forward", forward)
    batch = documents(texts)
    chain.run(batch)
    assert [document.failure is None for document in batch] == [True, False, True]
    assert (failure_of(batch[1]).stage, failure_of(batch[1]).error) == ("forward", "ForwardError")
    assert "not a number" in failure_of(batch[1]).message
    assert close([batch[0].annotations, batch[2].annotations], wanted)


def test_a_task_that_fails_costs_its_own_document_only_and_is_named(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    task: Task = next(planned.task for planned in chain.plan if planned.task.name == "spans")
    original = task.annotate

    def annotate(document: Any, readings: Any) -> Any:
        if document.text == "Café":
            raise AnnotateError("offsets go backwards")
        if document.text == "":
            raise KeyError("secret")
        return original(document, readings)

    monkeypatch.setattr(task, "annotate", annotate)
    batch = documents()
    chain.run(batch)
    failed = {document.text: failure_of(document) for document in batch if document.failure}
    assert failed.keys() == {"Café", ""}
    assert (failed["Café"].task, failed["Café"].message) == ("spans", "offsets go backwards")
    assert (failed[""].stage, failed[""].error) == ("annotate", "KeyError")
    assert "secret" not in failed[""].message


def test_a_truncation_asked_for_is_recorded_for_each_task_concerned() -> None:
    bert = str(tiny.checkpoint("bert", "sequence"))
    chain = Chain.load(pipeline(
        {"name": "a", "task": "text-classification", "model": bert, "long_text": "truncate", "max_length": 16},
        {"name": "b", "task": "embedding", "model": bert, "long_text": "truncate", "max_length": 16},
        {"name": "c", "task": "text-classification", "model": bert},
    ))  # fmt: skip
    text = "the quick brown fox jumps over the lazy dog " * 10
    long, short = documents([text, "fox"])
    chain.run([long, short])
    (window,) = encoded(chain.stages[0], text)
    kept = max(end for _, end in window.offsets)
    assert long.notices == [
        {"task": task, "kind": "truncated", "kept": kept, "of": len(text)} for task in ("a", "b")
    ]  # fmt: skip
    assert short.notices == []
    assert len(long.sequences[0].windows[text]) == 1
    assert len(long.sequences[1].windows[text]) > 1


def test_a_long_text_is_read_to_its_end() -> None:
    chain = Chain.load(pipeline(
        {"name": "spans", "task": "token-classification", "model": str(tiny.checkpoint("bert", "token")),
         "aggregation": "none", "max_length": 16, "stride": 4},
    ))  # fmt: skip
    text = "the quick brown fox jumps over the lazy dog " * 30
    (annotations,) = annotated(chain, [text])
    assert max(span["end"] for span in annotations["spans"]["spans"]) > len(text) - 20


def test_warm_up_measures_the_forward_unless_configured(chain: Chain) -> None:
    chain.warm_up()
    assert all(stage.trunk.forward_tokens >= 256 for stage in chain.stages)
    bert = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}
    fixed = Chain.load(pipeline(bert, compute={"forward_tokens": 77}))
    fixed.warm_up()
    assert fixed.stages[0].trunk.forward_tokens == 77


def test_models_that_fail_on_a_plain_sentence_are_found_before_the_first_event(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(chain, monkeypatch, "a", RuntimeError())
    monkeypatch.setattr("workers.chain.chain.tune", lambda *_: None)
    with pytest.raises(ModelError, match='task "tone": fails on a plain sentence'):
        chain.warm_up()


def test_a_task_that_reads_a_field_does_not_hide_models_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    model = str(tiny.checkpoint("bert", "sequence", labels=("contradiction", "neutral", "entailment")))
    chain = Chain.load(pipeline({"name": "claim", "task": "nli", "model": model, "hypothesis": "$.claim"}))
    monkeypatch.setattr("workers.chain.chain.tune", lambda *_: None)
    chain.warm_up()

    def forward(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(chain.stages[0].trunk, "forward", forward)
    with pytest.raises(ModelError, match=r'^task "claim": fails on a plain sentence: RuntimeError'):
        chain.warm_up()


FIELDS = {"name": "claim", "task": "nli", "hypothesis": "$.claim"}
UNFIT: dict[str, Any] = {
    "vector": ("embedding", {"task": "embedding", "dimensions": 500}, "fewer than the 500 requested"),
    "long": ("sequence", {"task": "nli", "hypotheses": ["a fox " * 60]}, "leaves the other no room in 48 tokens"),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("first", [True, False])
def test_settings_that_fail_on_every_event_are_found_whatever_else_reads_a_field(name: str, first: Any) -> None:
    labels = ("contradiction", "neutral", "entailment")
    kind, settings, reason = UNFIT[name]
    model = str(tiny.checkpoint("bert", kind, labels=labels) if kind == "sequence" else tiny.checkpoint("bert", kind))
    unfit = {"name": name, "model": model, **settings}
    other = {**FIELDS, "model": str(tiny.checkpoint("bert", "sequence", labels=labels))}
    chain = Chain.load(pipeline(*([unfit, other] if first else [other, unfit])))
    with pytest.raises(ModelError, match=rf'^task "{name}": fails on a plain sentence: .*{reason}'):
        check(chain.plan, chain.stages)


def test_near_duplicates_know_nothing_of_the_check() -> None:
    model = str(tiny.checkpoint("bert", "embedding"))
    chain = Chain.load(pipeline({"name": "near", "task": "similarity", "model": model, "window": 5}))
    check(chain.plan, chain.stages)
    (annotations,) = annotated(chain, ["A first sentence, so that the first event need not wait."])
    assert annotations["near"] == {"duplicate_of": None, "score": None}


def test_threads_are_as_many_as_the_file_says() -> None:
    before = torch.get_num_threads()
    bert = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}
    try:
        Chain.load(pipeline(bert, compute={"threads": before + 1}))
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_a_chain_that_is_to_take_over_changes_nothing_until_it_does() -> None:
    bert = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}
    before = Chain.load(pipeline(bert, compute={"forward_tokens": 77, "cache": 3}))
    threads = torch.get_num_threads()
    before.run([Document(None, text) for text in TEXTS[:3]])
    after = Chain.load(
        pipeline(bert, compute={"forward_tokens": 16, "cache": 1, "threads": threads + 1}), before=before
    )
    assert after.stages[0].trunk is before.stages[0].trunk
    assert before.stages[0].trunk.forward_tokens == 77
    assert torch.get_num_threads() == threads
    assert after.cache is before.cache
    assert before.cache is not None
    assert len(before.cache) == 3
    after.take_over()
    assert len(before.cache) == 1


def test_what_is_wrong_at_load_names_its_task() -> None:
    with pytest.raises(ModelError, match=r'^task "entities": model ".*" has no token classification head'):
        Chain.load(pipeline({"name": "entities", "task": "ner", "model": str(tiny.checkpoint("bert", "sequence"))}))


def test_forwards_and_annotating_are_timed_by_trunk_and_task() -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    chain = Chain.load(pipeline(
        {"name": "tone", "task": "text-classification", "model": model},
        {"name": "topic", "task": "text-classification", "model": model, "when": "tone.score >= 0.0"},
    ))  # fmt: skip
    forwards: list[tuple[str, float]] = []
    chain.pace.on_forward = lambda trunk, seconds: forwards.append((trunk, seconds))
    chain.run([Document(None, "a fox"), Document(None, "dogs")])
    assert {trunk for trunk, _ in forwards} == {model}
    assert len(forwards) == chain.pace.steps
    assert all(seconds > 0 for _, seconds in forwards)
    assert chain.pace.task_seconds.keys() == {"tone", "topic"}
    assert all(seconds > 0 for seconds in chain.pace.task_seconds.values())
    assert (chain.device, chain.precision) == ("cpu", "float32")
