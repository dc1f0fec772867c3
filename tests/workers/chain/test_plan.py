"""The plan: which tasks share a forward, what a condition saves, and that sharing changes no annotation."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from schemas.document import Document
from schemas.record import Assignment, Record
from tests.thoroughness import examples
from tests.workers import naive, tiny
from tests.workers.chain.test_chain import close, sizes
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain


@settings(deadline=None, max_examples=examples(40))
@given(tasks=naive.chains(), events=naive.events, cut=st.integers(0, 6))
def test_whatever_is_planned_says_what_every_task_alone_says(
    tasks: list[naive.Own], events: list[naive.Event], cut: int
) -> None:
    """Prepared together, then run as two micro-batches, of which the second is packed before the first has run."""
    chain = Chain.load(naive.pipeline_of(tasks))
    documents = [naive.document(event) for event in events]
    chain.prepare(documents)
    works = [chain.pack(documents[:cut]), chain.pack(documents[cut:])]
    for work in works:
        chain.forward(work)
    for work in works:
        chain.annotate(work)
    agree(tasks, events, documents)


def agree(tasks: list[naive.Own], events: list[naive.Event], documents: list[Document]) -> None:
    for event, document in zip(events, documents, strict=True):
        wanted = naive.expected(tasks, event)
        if wanted.failed:
            assert document.failure is not None
            assert document.failure.task is not None
            stage, message = wanted.failed[document.failure.task]
            assert document.failure.stage == stage
            assert document.failure.message == message or stage == "when"
            continue
        assert document.failure is None
        # In the order of the file, not in the order in which they ran.
        assert list(document.annotations) == list(wanted.annotations)
        assert close(document.annotations, wanted.annotations)
        assert sorted(map(str, document.notices)) == sorted(map(str, wanted.notices))


def head(seed: int, trunk: int = 0) -> str:
    return str(tiny.checkpoint("bert", "sequence", seed, trunk=trunk))


def task(name: str, model: str | None = None, **settings: Any) -> dict[str, Any]:
    return {"name": name, "task": "text-classification", "model": model or head(1), **settings}


TAGGER = {"name": "spans", "task": "token-classification"}
ASPECTS = {"name": "aspects", "task": "aspect-sentiment", "aspects": {"spans": "spans"}}


def tagger(**settings: Any) -> dict[str, Any]:
    return {**TAGGER, "model": str(tiny.checkpoint("bert", "token", 4, trunk=0)), **settings}


def plan(*tasks: dict[str, Any]) -> Chain:
    return Chain.load(pipeline(*tasks))


def stages(chain: Chain) -> list[tuple[int, set[str], bool]]:
    """(level, tasks, whether conditional) of each stage."""
    return [(stage.level, set(stage.tasks), stage.conditional) for stage in chain.stages]


def riding(chain: Chain) -> set[str]:
    return {planned.task.name for planned in chain.plan if planned.rides}


def test_heads_of_one_trunk_that_cut_alike_share_a_forward() -> None:
    chain = plan(task("a"), task("b", head(2)), tagger(), task("c", head(3, 7)), task("d", head(2), max_length=16))
    assert stages(chain) == [(0, {"a", "b", "spans"}, False), (0, {"c"}, False), (0, {"d"}, False)]
    assert chain.stages[0].trunk is chain.stages[2].trunk
    assert chain.stages[0].trunk is not chain.stages[1].trunk


def test_pairs_and_texts_cut_alike_share_one_too_and_those_that_cut_the_other_side_do_not() -> None:
    pairs = str(tiny.checkpoint("bert", "sequence", 5, naive.NLI, trunk=0))
    spans = str(tiny.checkpoint("bert", "span", 6, trunk=0))
    chain = plan(
        task("a"),
        {"name": "n", "task": "nli", "model": pairs, "hypotheses": ["a fox"]},
        {"name": "q", "task": "question-answering", "model": spans, "questions": ["who?"]},
    )
    assert stages(chain) == [(0, {"a", "n"}, False), (0, {"q"}, False)]
    assert len({stage.trunk for stage in chain.stages}) == 1


def test_one_head_named_twice_is_computed_once() -> None:
    chain = plan(task("a"), task("b"), task("c", multi_label=True))
    assert len(chain.stages[0].outputs) == 2  # softmax and sigmoid


@pytest.mark.parametrize("last", [False, True])
def test_a_condition_rides_on_the_forward_of_its_trunk_wherever_it_stands(last: bool) -> None:
    both = [task("a"), task("b", head(2), when='a.label == "x"')]
    chain = plan(*(both if last else both[::-1]))
    assert stages(chain) == [(0, {"a", "b"}, False)]
    assert riding(chain) == {"b"}


def test_a_condition_on_another_trunk_waits_a_level_for_it() -> None:
    chain = plan(task("a"), task("b", head(3, 7), when='a.label == "x"'))
    assert stages(chain) == [(0, {"a"}, False), (1, {"b"}, True)]
    assert riding(chain) == set()


def test_a_condition_of_the_events_own_fields_waits_for_nothing() -> None:
    chain = plan(task("a"), task("b", head(3, 7), when='text == "x"'), task("c", head(8, 7), when="event.n == 1"))
    assert stages(chain) == [(0, {"a"}, False), (0, {"b", "c"}, True)]


def test_a_task_without_a_model_costs_no_level() -> None:
    chain = plan({"name": "language", "task": "language"}, task("a", when='language.label == "en"'))
    assert stages(chain) == [(0, {"a"}, True)]


def test_levels_add_up_along_a_chain_of_conditions() -> None:
    chain = plan(
        task("a"),
        task("b", head(3, 7), when="a.score > 0.5"),
        task("c", str(tiny.checkpoint("roberta", "sequence")), when="b.score > 0.5 && a.score > 0.1"),
        task("d", str(tiny.checkpoint("electra", "sequence")), when="a.score > 0.5"),
    )
    assert {level: tasks for level, tasks, _ in stages(chain) if level != 1} == {0: {"a"}, 2: {"c"}}
    assert [tasks for level, tasks, _ in stages(chain) if level == 1] == [{"b"}, {"d"}]


def test_two_conditions_of_a_level_share_a_forward_and_an_unconditional_one_does_not_join_them() -> None:
    chain = plan(
        task("a"), task("b", head(3, 7), when="a.score > 0.5"), task("c", head(8, 7), when="a.score > 0.9"),
        task("d", head(9, 7), when="b.score > 0.5"),
    )  # fmt: skip
    assert stages(chain) == [(0, {"a"}, False), (1, {"b", "c"}, True), (2, {"d"}, True)]


def test_aspects_wait_for_their_spans_even_on_their_own_trunk() -> None:
    chain = plan({**ASPECTS, "model": head(6)}, tagger())
    assert stages(chain) == [(0, {"spans"}, False), (1, {"aspects"}, False)]
    assert chain.stages[0].trunk is chain.stages[1].trunk
    # They cannot ride on a forward that runs before they are known.
    chain = plan(tagger(), {**ASPECTS, "model": head(6), "when": "event.n == 1"})
    assert stages(chain) == [(0, {"spans"}, False), (1, {"aspects"}, True)]
    assert riding(chain) == set()


def test_what_needs_a_conditional_task_is_conditional() -> None:
    """Without the tagger no inputs are known, so the task cannot ride on a forward."""
    chain = plan(task("a"), tagger(when='a.label == "x"'), {**ASPECTS, "model": head(6)})
    assert riding(chain) == {"spans"}
    assert stages(chain) == [(0, {"a", "spans"}, False), (1, {"aspects"}, True)]
    document = Document(None, "Angela Merkel")
    chain.run([document])
    assert document.failure is None
    assert list(document.annotations) == ["a"]


def changed(folder: Path, into: Path, name: str, bit: int) -> str:
    """A copy of a checkpoint with one bit of one tensor flipped; no bit if it is negative."""
    shutil.copytree(folder, into)
    tensors = load_file(into / "model.safetensors")
    if bit >= 0:
        tensors[name].view(-1).view(dtype=torch.int32)[0] ^= 1 << bit
    save_file(tensors, into / "model.safetensors", {"format": "pt"})
    return str(into)


WEIGHT = "bert.encoder.layer.1.output.dense.weight"


def test_equal_tensors_in_two_folders_are_one_trunk(tmp_path: Path) -> None:
    copy = changed(tiny.checkpoint("bert", "sequence", 1, trunk=0), tmp_path / "copy", WEIGHT, -1)
    chain = plan(task("a"), task("b", copy), task("c", head(2)))
    assert stages(chain) == [(0, {"a", "b", "c"}, False)]


def test_one_bit_more_is_another_one(tmp_path: Path) -> None:
    other = changed(tiny.checkpoint("bert", "sequence", 1, trunk=0), tmp_path / "other", WEIGHT, 0)
    chain = plan(task("a"), task("b", other))
    assert stages(chain) == [(0, {"a"}, False), (0, {"b"}, False)]
    assert chain.stages[0].trunk is not chain.stages[1].trunk


def test_a_head_or_pooler_of_ones_own_leaves_the_trunk_shared(tmp_path: Path) -> None:
    folder = tiny.checkpoint("bert", "sequence", 1, trunk=0)
    pooler = changed(folder, tmp_path / "pooler", "bert.pooler.dense.weight", 30)
    last = changed(folder, tmp_path / "head", "classifier.weight", 30)
    chain = plan(task("a"), task("b", pooler), task("c", last))
    assert stages(chain) == [(0, {"a", "b", "c"}, False)]
    document = Document(None, "the quick brown fox")
    chain.run([document])
    scores = [document.annotations[name]["scores"] for name in "abc"]
    assert not close(scores[0], scores[1])
    assert not close(scores[0], scores[2])


def test_another_configuration_of_equal_tensors_is_another_trunk() -> None:
    chain = plan(task("a"), task("b", str(tiny.checkpoint("bert", "sequence", 1, trunk=0, hidden_act="relu"))))
    assert len({stage.trunk for stage in chain.stages}) == 2


def texts(*values: str) -> list[Document]:
    return [Document(None, text, b"{}", fields={"n": n}) for n, text in enumerate(values)]


def test_a_condition_costs_forwards_only_for_what_it_is_true_for(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = plan(task("a"), task("b", head(3, 7), when="event.n < 2"))
    documents = texts("the quick", "brown", "fox", "dogs again", "Café")
    forwards = sizes(chain, monkeypatch)
    chain.run(documents)
    # Five texts on one trunk, two on the other.
    assert sorted(map(len, forwards)) == [2, 5]
    assert ["b" in document.annotations for document in documents] == [True, True, False, False, False]


def test_where_it_is_true_for_none_there_is_no_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    never = task("b", head(3, 7), when='a.label == "none such"')
    chain = plan(task("a"), never, task("c", head(8, 7), when="b.score > 0.1"))
    forwards = sizes(chain, monkeypatch)
    documents = texts("the quick", "brown", "fox")
    chain.run(documents)
    assert list(map(len, forwards)) == [3]
    assert [list(document.annotations) for document in documents] == [["a"]] * 3


def test_riding_costs_no_sequence_more(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = plan(task("a"), task("b", head(2), when="event.n == 0"))
    forwards = sizes(chain, monkeypatch)
    documents = texts("the quick", "brown", "fox")
    chain.run(documents)
    assert list(map(len, forwards)) == [3]
    assert ["b" in document.annotations for document in documents] == [True, False, False]


NLI = ("contradiction", "neutral", "entailment")


def claim(**settings: Any) -> dict[str, Any]:
    """Reads pairs of the text and the event's claim, cut in the same way as by the classifiers."""
    model = str(tiny.checkpoint("bert", "sequence", 5, NLI, trunk=0))
    return {"name": "claim", "task": "nli", "model": model, **settings}


def test_pairs_are_not_read_for_events_that_do_not_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """They share the forward of a task without a condition, but no other task reads them."""
    chain = plan(task("a"), claim(hypotheses=["it is a fox", "it is Paris"], when="event.n == 0"))
    assert riding(chain) == set()
    assert stages(chain) == [(0, {"a", "claim"}, False)]
    forwards = sizes(chain, monkeypatch)
    documents = texts("the quick", "brown", "fox")
    chain.run(documents)
    assert sum(map(len, forwards)) == 3 + 2
    assert ["claim" in document.annotations for document in documents] == [True, False, False]


def test_texts_do_not_ride_on_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = plan(claim(hypotheses=["it is a fox"]), task("a", when="event.n == 0"))
    assert riding(chain) == set()
    forwards = sizes(chain, monkeypatch)
    documents = texts("the quick", "brown", "fox")
    chain.run(documents)
    assert sum(map(len, forwards)) == 3 + 1
    assert ["a" in document.annotations for document in documents] == [True, False, False]


def test_what_a_task_needs_is_asked_for_only_where_it_runs() -> None:
    chain = plan(task("a"), claim(hypothesis="$.claim", when="has(event.claim)"))
    without = Document(None, "the fox", b"{}", fields={})
    given = Document(None, "the fox", b"{}", fields={"claim": "it is a fox"})
    chain.run([without, given])
    assert (without.failure, given.failure) == (None, None)
    assert [list(document.annotations) for document in (without, given)] == [["a"], ["a", "claim"]]


def test_aspects_of_a_conditional_tagger_run_where_it_has_run() -> None:
    """Next to aspects of an unconditional tagger, which have the same trunk and level."""
    always = [tagger(), {**ASPECTS, "model": head(6)}]
    some = [tagger(name="some", when="has(event.go)"), {
        **ASPECTS, "name": "more", "model": head(6), "aspects": {"spans": "some"}
    }]  # fmt: skip
    chain = plan(*always, *some)
    documents = [Document(None, "Angela Merkel", b"{}", fields=fields) for fields in ({}, {"go": 1})]
    chain.run(documents)
    assert [document.failure for document in documents] == [None, None]
    assert [list(document.annotations) for document in documents] == [
        ["spans", "aspects"], ["spans", "aspects", "some", "more"]
    ]  # fmt: skip
    assert close(documents[1].annotations["more"], documents[1].annotations["aspects"])


CONDITIONS = {
    "key": ("key == 'k1'", "key == null"),
    "topic": ("topic == 'posts'", "topic == ''"),
    "headers": ("has(headers.source) && headers.source == 'app'", "!has(headers.source)"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_see_the_record(name: str) -> None:
    given, missing = CONDITIONS[name]
    chain = plan(task("a", when=given), task("b", when=missing))
    assignment = Assignment("posts", 0)
    documents = [
        Document(Record(assignment, 0, b"k1", b"{}", [("source", b"app")]), "fox"),
        Document(Record(assignment, 1, None, b"{}"), "fox"),
        Document(None, "fox"),
    ]
    chain.run(documents)
    assert [document.failure for document in documents] == [None] * 3
    said = [list(document.annotations) for document in documents]
    assert said[0] == ["a"]
    # Every record has a topic. Without a record there is neither topic nor key.
    assert said[1] == (["a"] if name == "topic" else ["b"])
    assert said[2] == ([] if name == "key" else ["b"])


def test_one_event_cannot_have_everything_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.chain.stage.MOST_CHARACTERS", 60)
    chain = plan(task("a"), claim(hypotheses=["it is a fox", "it is Paris"]))
    forwards = sizes(chain, monkeypatch)
    documents = texts("heliotrope " * 3, "fox")
    chain.run(documents)
    failure = documents[0].failure
    assert failure is not None
    assert (failure.stage, failure.error, failure.task) == ("tokenize", "TokenizeError", "claim")
    assert failure.message == "3 inputs of 121 characters in all, and at most 60 are read"
    assert documents[1].failure is None
    assert sum(map(len, forwards)) == 3


def test_aspects_read_as_many_pairs_as_there_are_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = plan(tagger(), {**ASPECTS, "model": head(6)})
    forwards = sizes(chain, monkeypatch)
    (document,) = texts("Angela Merkel praised the coffee in Paris")
    chain.run([document])
    pieces = {span["text"] for span in document.annotations["spans"]["spans"]}
    assert len(pieces) > 1
    assert list(map(len, forwards)) == [1, len(pieces)]


def test_annotations_stand_in_the_order_of_the_file_whatever_runs_first() -> None:
    chain = plan(
        task("deep", str(tiny.checkpoint("roberta", "sequence")), when="wide.score > 0"),
        {**ASPECTS, "model": head(6)},
        task("wide", head(3, 7), when="first.score > 0"),
        {"name": "language", "task": "language"},
        tagger(),
        task("first"),
    )
    (document,) = texts("Angela Merkel praised the coffee in Paris")
    chain.run([document])
    assert document.failure is None
    assert list(document.annotations) == ["deep", "aspects", "wide", "language", "spans", "first"]
    assert list(chain.models) == list(document.annotations)


def test_a_task_that_others_wait_for_does_not_go_before_its_neighbours() -> None:
    """The plan keeps the order of the file here, but the spans annotate first."""
    chain = plan(task("first"), tagger(), {**ASPECTS, "model": head(6)})
    (document,) = texts("Angela Merkel praised the coffee in Paris")
    chain.run([document])
    assert list(document.annotations) == ["first", "spans", "aspects"]


def test_a_condition_that_cannot_be_decided_fails_its_event_alone_and_is_named() -> None:
    chain = plan(task("a"), task("b", head(3, 7), when='event.language == "en"'), task("c", head(2), when="event.n"))
    good = Document(None, "fox", b"{}", fields={"n": True, "language": "en"})
    missing = Document(None, "heliotrope", b"{}", fields={"n": True})
    strange = Document(None, "heliotrope", b"{}", fields={"n": "heliotrope", "language": "en"})
    last = Document(None, "fox", b"{}", fields={"n": False, "language": "de"})
    chain.run([good, missing, strange, last])
    assert [list(document.annotations) for document in (good, last)] == [["a", "b", "c"], ["a"]]
    assert good.failure is last.failure is None
    for document, name in ((missing, "b"), (strange, "c")):
        assert document.failure is not None
        assert (document.failure.stage, document.failure.error) == ("when", "ConditionError")
        assert document.failure.task == name
        assert "heliotrope" not in document.failure.message
