"""What a task does to events that do not want it: nothing. ``test_plan`` proves it over random chains."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.document import Document
from tests.workers import flaws, naive
from tests.workers.chain.test_chain import close
from tests.workers.chain.test_plan import claim, plan, riding, task
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

MARKED = f"a fox {flaws.MARK}"
LONG = "the quick brown fox " * 20


def flawed(name: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, **naive.kinds()[name], **settings}


def run(chain: Chain, text: str, **fields: Any) -> Document:
    document = Document(None, text, b"{}", fields=fields)
    chain.run([document, Document(None, "dogs", b"{}", fields=fields)])
    return document


@pytest.mark.parametrize(("name", "text"), [("raises", MARKED), ("strange", MARKED), ("who", LONG)])
@pytest.mark.parametrize("early", [True, False])
def test_a_task_that_rides_fails_only_events_that_want_it(name: str, text: str, early: bool) -> None:
    """With a condition that is decided before the forward, and with one that needs its scores."""
    yes, no = ("size(text) > 5", "size(text) < 5") if early else ("a.score > 0.0", "a.score > 2.0")
    alone = run(plan(task("a")), text)
    unwanted = run(chain := plan(task("a"), flawed(name, when=no)), text)
    assert riding(chain) == {name}
    assert unwanted.failure is None
    assert close(unwanted.annotations, alone.annotations)
    failure = run(plan(task("a"), flawed(name, when=yes)), text).failure
    assert failure is not None
    assert (failure.stage, failure.task) == ("forward", name)


def test_a_head_that_shares_a_forward_is_not_asked_about_texts_of_others() -> None:
    """``raises`` reads the text, and the head of ``claim`` reads a pair with the mark in it."""
    chain = plan(task("a"), claim(hypothesis="$.claim"), flawed("raises"))
    assert len(chain.stages) == 1
    assert run(chain, "a fox", claim=flaws.MARK).failure is None


def test_clusters_are_looked_for_only_in_texts_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = flaws.Who.resolve_clusters

    def remember(head: Any, states: Any, windows: Any, texts: Any) -> Any:
        asked.extend(texts)
        return resolve(head, states, windows, texts)

    chain = plan(task("a"), claim(hypothesis="$.claim"), flawed("who", when='text == "dogs"'))
    monkeypatch.setattr(flaws.Who, "resolve_clusters", remember)
    assert list(run(chain, "the fox", claim="a fox").annotations) == ["a", "claim"]
    assert asked == ["dogs"]


def test_the_limit_of_characters_counts_what_is_wanted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache, the rider may be the only task that still has to read the text."""
    chain = Chain.load(pipeline(
        task("a"), claim(hypotheses=["it is a fox"]), flawed("strange", when="a.score > 2.0"), compute={"cache": 100},
    ))  # fmt: skip
    text = "the quick brown fox jumps"
    assert run(chain, text).failure is None
    assert chain.cache is not None
    of_claim = list(chain.cache._entries)[2]  # the annotations of "a" for two texts come first
    del chain.cache._entries[of_claim]
    monkeypatch.setattr("workers.chain.stage.MOST_CHARACTERS", len(text) + 20)
    again = run(chain, text)
    assert again.failure is None
    assert list(again.annotations) == ["a", "claim"]
    failure = run(chain, "heliotrope heliotrope heliotrope").failure
    assert failure is not None
    assert (failure.stage, failure.task) == ("tokenize", "claim")
