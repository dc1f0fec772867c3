"""A shadow runs beside its task: what it makes is kept apart, and what fails for it fails no event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document, Failure, Part, Shadowed
from tests.thoroughness import examples
from tests.workers import naive, tiny
from tests.workers.chain.test_chain import close
from tests.workers.chain.test_plan import agree, head, plan, riding, task
from tests.workers.chain.test_unread import UNKNOWN
from tests.workers.chain.test_unwanted import LONG, MARKED, flawed, run
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.cli.views.plan import plan_data, plan_lines


def shadow(model: str | None = None, **settings: Any) -> dict[str, Any]:
    return task("next", model or head(2), shadow="a", **settings)


def made(document: Document, name: str = "next") -> Shadowed:
    assert document.failure is None
    assert document.shadows is not None
    assert name not in document.annotations
    assert not [notice for notice in document.notices if notice["task"] == name]
    return document.shadows[name]


def failure(document: Document, name: str = "next") -> Failure:
    reason = made(document, name).failure
    assert reason is not None
    return reason


def test_a_shadow_shares_the_forward_and_its_annotation_is_apart() -> None:
    chain = plan(task("a"), shadow(), task("b", head(2)))
    assert len(chain.stages) == 1
    document = run(chain, "a fox")
    assert list(document.annotations) == ["a", "b"]
    assert close({"x": made(document).annotation}, {"x": document.annotations["b"]})
    assert document.annotations == run(plan(task("a"), task("b", head(2))), "a fox").annotations


def test_without_shadows_nothing_is_kept_for_them() -> None:
    assert run(plan(task("a")), "a fox").shadows is None


@pytest.mark.parametrize(("name", "text"), [("raises", MARKED), ("strange", MARKED), ("who", LONG)])
def test_a_shadow_whose_head_fails_fails_no_event(name: str, text: str) -> None:
    """Whether it shares the forward of its task, has a stage of its own, or a later one."""
    alone = run(plan(task("a")), text)
    for more in ({}, {"max_length": 40}, {"when": "a.score > 0.0"}, {"when": "a.score > 0.0", "max_length": 40}):
        if name == "who" and "max_length" in more:
            continue  # its head splits texts in its own way
        document = run(plan(task("a"), flawed(name, shadow="a", **more)), text)
        assert (failure(document, name).stage, failure(document, name).task) == ("forward", name)
        assert document.annotations == alone.annotations


def test_a_shadow_that_cannot_read_its_inputs_fails_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    document = run(plan(task("a"), shadow(when='event.kind == "x"')), "a fox", other=1)
    assert failure(document).error == "ConditionError"
    text = "the quick brown fox " * 40
    monkeypatch.setattr("workers.chain.stage.MOST_CHARACTERS", len(text) - 1)
    chain = plan(task("a", when="size(text) < 9"), shadow(str(tiny.checkpoint("roberta", "sequence"))))
    assert failure(run(chain, text)).stage == "tokenize"


def test_a_condition_decides_whether_a_shadow_runs() -> None:
    chain = plan(task("a"), shadow(when='text == "dogs"'))
    documents = [Document(None, "a fox"), Document(None, "dogs")]
    chain.run(documents)
    assert riding(chain) == {"next"}
    assert documents[0].shadows is None
    assert made(documents[1]).annotation is not None


def test_a_shadow_that_always_runs_lends_its_forward_to_a_task_that_does_not() -> None:
    chain = plan(task("a", when="size(text) > 3"), shadow())
    assert riding(chain) == {"a"}
    documents = [Document(None, "a fox"), Document(None, "a")]
    chain.run(documents)
    assert [list(document.annotations) for document in documents] == [["a"], []]
    assert all(made(document).annotation for document in documents)


def test_an_event_that_fails_for_its_task_fails_as_without_a_shadow() -> None:
    document = run(plan(flawed("raises"), {**flawed("raises"), "name": "next", "shadow": "raises"}), MARKED)
    assert document.failure is not None
    assert document.failure.task == "raises"


@pytest.mark.parametrize("unknown_text", ["notice", "leave_out", "dead_letter"])
def test_texts_that_a_shadow_cannot_read_are_its_own_affair(unknown_text: str) -> None:
    chain = plan(task("a", max_unknown=1.0), shadow(max_unknown=0.0, unknown_text=unknown_text))
    document = run(chain, UNKNOWN)
    result = made(document)
    if unknown_text == "dead_letter":
        assert failure(document).error == "TokenizeError"
    else:
        assert [notice["kind"] for notice in result.notices] == ["unread"]
        assert (result.annotation is None) is (unknown_text == "leave_out")


def test_a_shadow_without_a_model_is_kept_apart_within_the_texts_of_the_event() -> None:
    chain = Chain.load(pipeline(
        {"name": "all", "task": "pii"},
        {"name": "mails", "task": "pii", "entities": ["EMAIL_ADDRESS"], "shadow": "all"},
        input={"topics": ["in"], "text": ["$.a", "$.b"]},
    ))  # fmt: skip
    document = Document(None, "a@example.org\n\nb@example.org")
    document.parts = (Part("$.a", 0, 13, ("a",)), Part("$.b", 15, 28, ("b",)))
    chain.run([document])
    annotation = made(document, "mails").annotation
    assert annotation is not None
    assert [(span["label"], span["field"]) for span in annotation["spans"]] == [
        ("EMAIL_ADDRESS", "$.a"), ("EMAIL_ADDRESS", "$.b"),
    ]  # fmt: skip


def test_the_cache_serves_a_shadow_and_its_task_after_the_promotion() -> None:
    before = Chain.load(pipeline(task("a"), shadow(), compute={"cache": 100}))
    run(before, "a fox")
    after = Chain.load(pipeline(task("a", head(2)), compute={"cache": 100}), before=before)
    assert after.cache is not None
    hits = after.cache.hits
    document = run(after, "a fox")
    assert after.cache.hits == hits + 2
    assert close({"x": document.annotations["a"]}, {"x": made(run(before, "a fox")).annotation})


def test_the_plan_says_which_task_is_a_shadow() -> None:
    settings = pipeline(task("a"), shadow())
    data = plan_data(settings, Chain.load(settings))
    assert [entry["shadow"] for entry in data["stages"][0]["tasks"]] == [None, "a"]
    assert any(line.endswith(", shadow of a") for line in plan_lines(data))


@settings(deadline=None, max_examples=examples(25))
@given(tasks=naive.chains(), events=naive.events, data=st.data())
def test_whatever_shadows_there_are_no_event_is_another_one(
    tasks: list[naive.Own], events: list[naive.Event], data: st.DataObject
) -> None:
    """Some of the shadows fail, in their head, their condition or for long texts."""
    kinds = naive.kinds()
    entries = [each.entry() for each in tasks]
    for number in range(data.draw(st.integers(1, 3))):
        shadowed = data.draw(st.sampled_from(tasks))
        same = [kind for kind in kinds if kinds[kind]["task"] == kinds[shadowed.kind]["task"]]
        alike = [kind for kind in same if kind not in {"panel", "aspects"}]
        if not alike:
            continue
        added = {**kinds[data.draw(st.sampled_from(alike))], "name": f"s{number}", "shadow": shadowed.name}
        if data.draw(st.booleans()):
            added["when"] = data.draw(naive.conditions(tasks)).source
        entries.insert(data.draw(st.integers(0, len(entries))), added)
    chain = Chain.load(pipeline(*entries))
    documents = [naive.document(event) for event in events]
    chain.run(documents)
    agree(tasks, events, documents)
