"""The cache is bounded, its key covers all that matters, and it changes no annotation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from tests.thoroughness import examples
from tests.workers import naive, tiny
from tests.workers.chain.test_chain import close, sizes
from tests.workers.chain.test_plan import agree
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks.events import event, run
from workers.chain.cache import Cache, key
from workers.chain.chain import Chain

operations = st.lists(
    st.tuples(st.sampled_from(["get", "put", "put", "resize"]), st.integers(0, 6), st.integers(1, 5)), max_size=60
)


@given(size=st.integers(1, 5), steps=operations)
def test_it_keeps_what_was_used_last(size: int, steps: list[tuple[str, int, int]]) -> None:
    """Compared with a list whose last item is the most recently used."""
    cache = Cache(size)
    kept: list[tuple[bytes, Any]] = []
    hits = lookups = 0
    for number, (what, name, new_size) in enumerate(steps):
        key_of_name = b"%d" % name
        before = [entry for entry in kept if entry[0] == key_of_name]
        rest = [entry for entry in kept if entry[0] != key_of_name]
        if what == "get":
            entry_found = cache.get(key_of_name)
            assert entry_found == (before[0][1] if before else None)
            kept = rest + before
            hits += bool(before)
            lookups += 1
        elif what == "put":
            value: Any = ({"n": number}, [])
            cache.put(key_of_name, value)
            kept = [*rest, (key_of_name, value)][-size:]
        else:
            size = new_size
            cache.resize(size)
            kept = kept[-size:]
        assert len(cache) == len(kept) <= size
    assert (cache.hits, cache.lookups) == (hits, lookups)


some = st.text(st.sampled_from("ab1:;\udc00\0"), max_size=4)
inputs = st.lists(some | st.tuples(some, some), max_size=3)


@settings(max_examples=examples(500))
@given(inputs=inputs, others=inputs)
def test_keys_are_equal_for_equal_inputs_alone(inputs: list[Any], others: list[Any]) -> None:
    assert (key(b"task", inputs) == key(b"task", others)) == (inputs == others)
    assert key(b"task", inputs) != key(b"other", inputs)


@pytest.mark.parametrize(
    ("inputs", "others"),
    [
        (["a", "b"], [("a", "b")]),
        ([("a", "b")], [("b", "a")]),
        ([("ab", "")], [("a", "b")]),
        (["ab"], ["a", "b"]),
        (["a"], ["a", "a"]),
        ([("a", "b"), ("c", "d")], [("a", "b"), ("c", "d"), ("c", "d")]),
        (["1:a;1:b"], ["a", "b"]),
        ([], [""]),
        (["é"], ["e\N{COMBINING ACUTE ACCENT}"]),
    ],
)
def test_pairs_and_lists_are_not_taken_for_one_another(inputs: list[Any], others: list[Any]) -> None:
    assert key(b"task", inputs) != key(b"task", others)


def head(seed: int, labels: tuple[str, ...] | None = None) -> str:
    return str(tiny.checkpoint("bert", "sequence", seed, labels, trunk=0))


def task(name: str, model: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "task": "text-classification", "model": model or head(1), **more}


def chain(*tasks: dict[str, Any], cache: int = 100) -> Chain:
    return Chain.load(pipeline(*tasks, compute={"cache": cache}))


def test_a_text_that_comes_again_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = chain(task("a"))
    assert made.cache is not None
    forwards = sizes(made, monkeypatch)
    first = run(made, event("fox"), event("dogs"))
    again = run(made, event("dogs"), event("fox"), event("new"))
    assert list(map(len, forwards)) == [2, 1]
    assert again[:2] == first[::-1]
    assert (made.cache.hits, made.cache.lookups, len(made.cache)) == (2, 5, 3)


def test_without_it_there_is_none() -> None:
    assert chain(task("a"), cache=0).cache is None


def test_the_bound_is_that_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    made = chain(task("a"), cache=2)
    assert made.cache is not None
    for text in ("one", "two", "three"):
        run(made, event(text))
    forwards = sizes(made, monkeypatch)
    run(made, event("three"))
    run(made, event("two"))
    assert forwards == []
    run(made, event("one"))
    assert len(forwards) == 1
    assert len(made.cache) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"model": head(2)},
        {"merge": "max"},
        {"max_length": 16},
        {"multi_label": True},
        {"long_text": "truncate"},
        {"task": "sentiment"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_another_model_or_setting_is_another_entry(other: dict[str, Any]) -> None:
    made = chain(task("a"), {**task("b"), **other})
    assert made.cache is not None
    run(made, event("fox"))
    assert len(made.cache) == 2
    assert made.plan[0].key != made.plan[1].key


def test_another_revision_is_another_entry() -> None:
    """The same folder and settings with changed weights."""
    chains = [chain(task("a", head(seed))) for seed in (1, 2)]
    revisions = {revised.models["a"]["revision"] for revised in chains}
    assert len(revisions) == 2
    assert chains[0].plan[0].key != chains[1].plan[0].key


def test_name_and_condition_are_nothing_to_the_model() -> None:
    made = chain(task("a"), task("b", when="text != 'x'"))
    assert made.cache is not None
    (annotations,) = run(made, event("fox"))
    assert annotations["a"] == annotations["b"]
    assert len(made.cache) == 1


def test_a_condition_that_is_false_stays_false_for_a_known_text() -> None:
    other = str(tiny.checkpoint("bert", "sequence", 3, trunk=7))
    made = chain(task("a"), task("b", when="event.n == 1"), task("c", other, when="event.n == 1"))
    annotated = [run(made, event("fox", n=n))[0] for n in (1, 0, 1, 0)]
    assert [list(annotations) for annotations in annotated] == [["a", "b", "c"], ["a"], ["a", "b", "c"], ["a"]]
    assert annotated[0] == annotated[2]


LONG = "the quick brown fox jumps over the lazy dog " * 6


def test_notices_come_again_with_their_annotation() -> None:
    made = chain(task("a", long_text="truncate", max_length=16))
    first, again = event(LONG), event(LONG)
    run(made, first)
    run(made, again)
    assert made.cache is not None
    assert made.cache.hits == 1
    assert first.notices == again.notices != []


def test_and_name_the_task_they_are_of() -> None:
    cut: dict[str, Any] = {"long_text": "truncate", "max_length": 16}
    made = chain(task("a", **cut), task("b", **cut))
    first, again = event(LONG), event(LONG)
    run(made, first)
    run(made, again)
    assert [notice["task"] for notice in first.notices] == ["a", "b"]
    assert again.notices == first.notices


def test_pairs_are_known_by_both_texts_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    made = chain({"name": "n", "task": "nli", "model": head(5, naive.NLI), "hypothesis": "$.claim"})
    forwards = sizes(made, monkeypatch)
    for text, claim in (("fox", "dog"), ("dog", "fox"), ("fox", "fox"), ("fox", "dog")):
        run(made, event(text, claim=claim))
    assert list(map(len, forwards)) == [1, 1, 1]


def test_near_duplicates_are_not_kept() -> None:
    model = str(tiny.checkpoint("bert", "embedding"))
    made = chain({"name": "s", "task": "similarity", "model": model, "window": 10, "threshold": 0.99})
    documents = [Document(None, "fox"), Document(None, "dogs"), Document(None, "dogs and fox")]
    for document in documents:
        run(made, document)
    assert made.cache is not None
    assert (len(made.cache), made.cache.lookups) == (0, 0)
    assert made.plan[0].key is None


def test_nor_are_aspects_that_stand_elsewhere_in_equal_texts() -> None:
    made = chain({"name": "s", "task": "aspect-sentiment", "model": head(1), "aspects": "$.at"})
    text = "the fox and the fox"
    annotated = [run(made, event(text, at=[{"start": at, "end": at + 3}]))[0] for at in (4, 16)]
    assert [annotations["s"]["aspects"][0]["start"] for annotations in annotated] == [4, 16]


def test_but_aspects_of_the_file_are(monkeypatch: pytest.MonkeyPatch) -> None:
    made = chain({"name": "s", "task": "aspect-sentiment", "model": head(1), "aspects": ["fox", "dog"]})
    forwards = sizes(made, monkeypatch)
    first, again = run(made, event("fox"))[0], run(made, event("fox"))[0]
    assert list(map(len, forwards)) == [2]
    assert first == again


def test_a_chain_that_takes_over_takes_the_cache_along() -> None:
    before = chain(task("a"))
    (annotations,) = run(before, event("fox"))
    after = Chain.load(pipeline(task("renamed"), task("b", head(2)), compute={"cache": 50}), before=before)
    assert after.cache is before.cache
    (again,) = run(after, event("fox"))
    assert again["renamed"] == annotations["a"]
    assert not close(again["b"], annotations["a"])


def test_what_failed_is_not_kept() -> None:
    made = chain(task("a"))
    bad = Document(None, "a lone \udc00")
    for _ in range(2):
        made.run([bad])
        assert bad.failure is not None
    assert made.cache is not None
    assert len(made.cache) == 0


@settings(deadline=None, max_examples=examples(20))
@given(tasks=naive.chains(), events=st.lists(naive.events, min_size=2, max_size=4), size=st.sampled_from([1, 3, 100]))
def test_annotations_are_those_without_it(tasks: list[naive.Own], events: list[list[naive.Event]], size: int) -> None:
    """Few different texts, so that most are repeated, in the same micro-batch or a later one."""
    made = Chain.load(naive.pipeline_of(tasks, cache=size))
    for batch in events:
        documents = [naive.document(each) for each in batch]
        made.run(documents)
        agree(tasks, batch, documents)
