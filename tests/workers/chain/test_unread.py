"""Texts that the tokenizer does not know get a notice, lose their annotation, or become dead letters, as configured."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.document import Document
from tests.workers import naive, tiny
from tests.workers.chain.test_cache import chain, head, task
from tests.workers.chain.test_chain import close
from tests.workers.tasks.events import event, run
from workers.chain.chain import Chain

UNKNOWN = "ሰላም ነው"
MIXED = f"fox {UNKNOWN}"
"""Five of its eight characters are unknown."""
LONG = "the quick brown fox jumps over the lazy dog " * 6


def unread(name: str, share: float = 1.0) -> dict[str, Any]:
    return {"task": name, "kind": "unread", "share": share}


def outcome(made: Chain, document: Document) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the annotations, and the notices."""
    (annotations,) = run(made, document)
    return list(annotations), document.notices


def test_a_notice_for_each_task_and_only_for_such_texts() -> None:
    made = chain(task("a"), task("b", max_unknown=0.9), cache=0)
    assert outcome(made, event("the fox")) == (["a", "b"], [])
    assert outcome(made, event(UNKNOWN)) == (["a", "b"], [unread("a"), unread("b")])
    assert outcome(made, event(MIXED)) == (["a", "b"], [unread("a", 0.625)])


@pytest.mark.parametrize(("limit", "noticed"), [(0, True), (0.624, True), (0.625, False), (0.63, False), (1, False)])
def test_the_limit_is_the_largest_share_without_a_notice(limit: float, noticed: bool) -> None:
    _, notices = outcome(chain(task("a", max_unknown=limit), cache=0), event(MIXED))
    assert notices == ([unread("a", 0.625)] if noticed else [])


def test_one_of_all_texts_is_in_the_same_micro_batch_as_others() -> None:
    made = chain(task("a"), cache=0)
    documents = [event(text) for text in ("fox", UNKNOWN, "", MIXED, "dogs", UNKNOWN)]
    run(made, *documents)
    shares = [[notice["share"] for notice in document.notices] for document in documents]
    assert shares == [[], [1.0], [], [0.625], [], [1.0]]


def test_left_out_is_the_annotation_alone() -> None:
    made = chain(task("a"), task("b", unknown_text="leave_out"), cache=0)
    assert outcome(made, event(UNKNOWN)) == (["a"], [unread("a"), unread("b")])
    assert outcome(made, event("fox")) == (["a", "b"], [])


def test_a_task_that_was_left_out_did_not_run_for_those_that_need_it() -> None:
    made = chain(
        task("a", unknown_text="leave_out"),
        task("b", head(2), when="a.score > 0.0"),
        task("c", head(3), when="has(a.score) || event.n == 1"),
        {"name": "spans", "task": "token-classification", "model": str(tiny.checkpoint("bert", "token")),
         "unknown_text": "leave_out"},
        {"name": "private", "task": "pii", "spans": ["spans"]},
        cache=0,
    )  # fmt: skip
    assert outcome(made, event("fox", n=0))[0] == ["a", "b", "c", "spans", "private"]
    assert outcome(made, event(UNKNOWN, n=0)) == ([], [unread("a"), unread("spans")])
    assert outcome(made, event(UNKNOWN, n=1))[0] == ["c"]


def test_a_dead_letter_alone_with_the_reason() -> None:
    made = chain(task("a"), task("b", unknown_text="dead_letter"), cache=0)
    good, bad, partly = event("fox"), event(UNKNOWN), event(MIXED)
    made.run([good, bad, partly])
    assert good.failure is None
    assert bad.failure is not None
    assert (bad.failure.stage, bad.failure.error, bad.failure.task) == ("tokenize", "TokenizeError", "b")
    assert bad.failure.message == "the model's tokenizer does not know 100% of a text, and max_unknown is 0.5"
    assert unread("b") in bad.notices
    assert partly.failure is not None


@pytest.mark.parametrize("condition", ["event.n == 1", "a.score > (event.n == 1 ? 0.0 : 2.0)"])
@pytest.mark.parametrize("treatment", ["notice", "leave_out", "dead_letter"])
def test_only_events_that_want_the_task_are_concerned(condition: str, treatment: str) -> None:
    """Decided before the forward, and after it."""
    made = chain(task("a", max_unknown=1), task("b", when=condition, unknown_text=treatment), cache=0)
    assert outcome(made, event(UNKNOWN, n=0)) == (["a"], [])
    wanting = event(UNKNOWN, n=1)
    made.run([wanting])
    assert wanting.notices == [unread("b")]
    assert (wanting.failure is not None) == (treatment == "dead_letter")
    assert ("b" in wanting.annotations) == (treatment == "notice")


def test_either_text_of_a_pair() -> None:
    claim = {"name": "n", "task": "nli", "model": head(5, naive.NLI), "hypothesis": "$.claim"}
    made = chain(claim, cache=0)
    assert outcome(made, event("fox", claim="dog")) == (["n"], [])
    assert outcome(made, event("fox", claim=UNKNOWN)) == (["n"], [unread("n")])
    assert outcome(made, event(UNKNOWN, claim="dog")) == (["n"], [unread("n")])


def test_one_notice_for_all_questions() -> None:
    model = str(tiny.checkpoint("bert", "span"))
    made = chain({"name": "q", "task": "question-answering", "model": model, "question": "$.ask"}, cache=0)
    assert outcome(made, event("the lazy dog", ask=["who?", f"who {UNKNOWN}", "what?"])) == (
        ["q"],
        [unread("q", 0.625)],
    )
    assert outcome(made, event("the lazy dog", ask="who?")) == (["q"], [])


def test_of_a_long_text_the_share_of_all_windows() -> None:
    settings: dict[str, Any] = {"max_length": 16, "stride": 4, "max_unknown": 0}
    made = chain(task("a", **settings), task("b", long_text="truncate", max_length=16, max_unknown=0), cache=0)
    text = LONG + UNKNOWN
    _, notices = outcome(made, event(text))
    assert notices[0] == unread("a", round(5 / sum(map(str.isalnum, text)), 6))
    assert [notice["kind"] for notice in notices] == ["unread", "truncated"]


@pytest.mark.parametrize("treatment", ["notice", "leave_out"])
def test_the_cache_keeps_the_notice_and_that_nothing_was_annotated(treatment: str) -> None:
    made = chain(task("a", unknown_text=treatment), task("b", unknown_text=treatment))
    first, again = outcome(made, event(UNKNOWN)), outcome(made, event(UNKNOWN))
    assert made.cache is not None
    assert made.cache.hits == 2
    assert first == again == (["a", "b"] if treatment == "notice" else [], [unread("a"), unread("b")])


def test_the_cache_does_not_keep_a_failure() -> None:
    made = chain(task("a", unknown_text="dead_letter"))
    for _ in range(2):
        document = event(UNKNOWN)
        made.run([document])
        assert document.failure is not None
    assert made.cache is not None
    assert len(made.cache) == 0


def test_a_tokenizer_of_bytes_knows_every_text() -> None:
    made = chain(task("a", str(tiny.checkpoint("roberta", "sequence")), max_unknown=0), cache=0)
    assert outcome(made, event(f"{UNKNOWN} \N{CLOWN FACE}")) == (["a"], [])


def test_annotations_are_those_of_a_chain_that_notices_nothing() -> None:
    texts = ["fox", UNKNOWN, MIXED]
    some, none = (chain(task("a", max_unknown=limit), cache=0) for limit in (0, 1))
    assert close(run(some, *map(event, texts)), run(none, *map(event, texts)))


def test_defaults_do_not_change_the_id_of_an_event() -> None:
    written = chain(task("a", max_unknown=0.5, unknown_text="notice"), cache=0)
    absent, other = chain(task("a"), cache=0), chain(task("a", max_unknown=0.4), cache=0)
    assert written.plan[0].task.config_hash == absent.plan[0].task.config_hash
    assert other.plan[0].task.config_hash != absent.plan[0].task.config_hash
