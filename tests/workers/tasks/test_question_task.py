"""Question answering through the chain, against plain transformers and a simple decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workers import tiny
from tests.workers.chain.test_chain import sizes
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain, squad_reference
from tests.workers.tasks.events import SECRET, TEXT, event, fails_alone, run
from workers.chain.chain import Chain

QUESTION = "who said so?"
LONG = "Das Café in Zürich schließt um fünf Uhr. Angela Merkel can't believe it's not butter \N{PILE OF POO}! " * 4


def folder(family: str = "bert", seed: int = 0) -> Path:
    return tiny.checkpoint(family, "span", seed)


def chain(model: Path | None = None, **settings: Any) -> Chain:
    return Chain.load(pipeline({
        "name": "t", "task": "question-answering", "model": str(model or folder()), **settings,
    }))  # fmt: skip


def check(
    answer: dict[str, Any], model: Path, text: str, question: str = QUESTION, n_best: int = 4, tau: float = 0.0,
    may_be_null: bool = True, margin: float | None = None,
) -> None:  # fmt: skip
    """Whether an entry of ``answers`` is what the reference decoder computes from transformers' logits."""
    windows = plain.read(model, "span", question, text, cut="only_second")
    best, null, listed = squad_reference.answers(
        text, [window.encoding for window in windows], [window.rows for window in windows], n_best, 6, tau, may_be_null,
        margin=margin,
    )  # fmt: skip

    def written(span: squad_reference.Span) -> dict[str, Any]:
        start, end, score = span
        return {"start": start, "end": end, "score": pytest.approx(score, abs=1e-4), "text": text[start:end]}

    assert answer["question"] == question
    assert answer["null_score"] == pytest.approx(null, abs=1e-4)
    assert answer["answer"] == (None if best is None else written(best))
    if n_best > 1:
        assert answer["alternatives"] == [written(span) for span in listed]


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "electra", "deberta-v2"])
def test_answers_are_those_of_transformers(family: str) -> None:
    made = chain(folder(family), questions=[QUESTION, "where?"], n_best=4, max_answer_tokens=6)
    texts = [TEXT, LONG, "", "cafe\N{COMBINING ACUTE ACCENT} 東京"]
    for text, by_task in zip(texts, run(made, *map(event, texts)), strict=True):
        check(by_task["t"]["answers"][0], folder(family), text)
        check(by_task["t"]["answers"][1], folder(family), text, "where?")
        for answer in by_task["t"]["answers"]:
            for span in answer["alternatives"]:
                assert text[span["start"] : span["end"]] == span["text"]


@pytest.mark.parametrize("tau", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("unanswerable", [True, False])
def test_the_null_decides_as_asked(tau: float, unanswerable: bool) -> None:
    made = chain(
        questions=[QUESTION], n_best=1, max_answer_tokens=6, null_threshold=tau, unanswerable=unanswerable,
    )  # fmt: skip
    texts = [TEXT, LONG, "the quick brown fox"]
    for text, by_task in zip(texts, run(made, *map(event, texts)), strict=True):
        assert list(by_task["t"]["answers"][0]) == ["question", "answer", "null_score"]
        check(by_task["t"]["answers"][0], folder(), text, n_best=1, tau=tau, may_be_null=unanswerable)


def test_windows_can_be_compared_with_their_own_null() -> None:
    """A checkpoint's are compared so only if the task asks for it."""
    texts = [TEXT, LONG]
    for margin in (None, 0.0, 1.5):
        made = chain(questions=[QUESTION], n_best=4, max_answer_tokens=6, window_margin=margin)
        for text, by_task in zip(texts, run(made, *map(event, texts)), strict=True):
            check(by_task["t"]["answers"][0], folder(), text, margin=margin)


def test_questions_can_come_from_the_event_one_or_many() -> None:
    made = chain(question="$.ask", n_best=4, max_answer_tokens=6)
    single, many = run(made, event(ask=QUESTION), event(ask=["where?", QUESTION, "where?"]))
    assert [answer["question"] for answer in single["t"]["answers"]] == [QUESTION]
    assert [answer["question"] for answer in many["t"]["answers"]] == ["where?", QUESTION]
    check(single["t"]["answers"][0], folder(), TEXT)
    check(many["t"]["answers"][0], folder(), TEXT, "where?")


def test_a_context_of_25000_words_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "the quick brown fox jumps over " * 4200 + "Angela Merkel praised the coffee in Paris"
    assert len(text.split()) > 25_000
    made = chain(questions=[QUESTION], n_best=1)
    made.stages[0].trunk.forward_tokens = 4096
    forwards = sizes(made, monkeypatch)
    document = event(text)
    run(made, document)
    tokenizer, _ = plain.loaded(folder(), "span")
    tokens = len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    room = tiny.LENGTH - len(tokenizer(QUESTION, add_special_tokens=False)["input_ids"]) - 3
    windows = 1 + -(-(tokens - room) // (room - tiny.LENGTH // 4))
    assert sum(map(len, forwards)) == windows
    last = document.sequences[0].windows[QUESTION, text][-1]
    assert max(end for _, end in last.offsets) == len(text)


def test_an_answer_anywhere_in_a_long_context_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a head that always answers "fox", only offsets and windows can be wrong."""
    made = chain(questions=[QUESTION], unanswerable=False, max_answer_tokens=1)
    stage = made.stages[0]
    (mark,) = stage.tokenization._plain.encode("fox", add_special_tokens=False).ids
    forwards = stage._forwards
    original: Any = forwards._attempt

    def compute(job: Any, batch: Any) -> list[Any]:
        (scores,) = original(job, batch)
        scores[:] = 0
        scores[job.ids[batch.tokens] == mark] = 9
        return [scores]

    monkeypatch.setattr(forwards, "_attempt", compute)
    words = ["the", "quick", "brown", "dog"] * 100
    for place in (0, 31, 32, 33, 44, 45, 199, 399):
        text = " ".join([*words[:place], "fox", *words[place:]])
        (annotations,) = run(made, event(text))
        (answer,) = annotations["t"]["answers"]
        assert answer["answer"]["text"] == "fox"
        assert answer["answer"]["start"] == text.index("fox")


# Invalid values at $.ask, and the messages about them.
BAD = {
    "nothing": (None, "fields", "neither a text nor a list of texts"),
    "a number": (17, "fields", "neither a text nor a list of texts"),
    "a mapping": ({"ask": SECRET}, "fields", "neither a text nor a list of texts"),
    "no question": ([], "fields", "neither a text nor a list of texts"),
    "one that is no text": ([SECRET, 17], "fields", "neither a text nor a list of texts"),
    "empty": ("", "fields", "the text at $.ask is empty"),
    "blank": ("\n \t", "fields", "the text at $.ask is empty"),
    "one that is blank": ([SECRET, " "], "fields", "the text at $.ask is empty"),
    "10000": ([f"{SECRET} {n}?" for n in range(10_000)], "fields", "has 10000 entries, the limit is 256"),
    "longer than the model takes": (f"{SECRET} " * 40, "tokenize",
                                    "the first text of the pair leaves the other no room in 48 tokens"),
    "huge": (SECRET * 200_000, "fields", "has 2000000 characters"),
    "a lone surrogate": (f"{SECRET} \udc00", "tokenize", "the tokenizer cannot read the text"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_question_that_cannot_be_read_fails_its_event_alone(case: str) -> None:
    ask, stage, says = BAD[case]
    fails_alone(chain(question="$.ask"), {"ask": [QUESTION]}, event(SECRET, ask=ask), stage, says)


def test_an_event_without_a_question_fails_alone() -> None:
    fails_alone(chain(question="$.ask"), {"ask": [QUESTION]}, event(SECRET), "fields", "there is nothing at $.ask")


def test_a_number_does_not_lead_into_a_text() -> None:
    made = chain(question="$.ask[0]")
    fails_alone(made, {"ask": [QUESTION]}, event(SECRET, ask=SECRET), "fields", "there is nothing at $.ask[0]")


def test_a_context_of_a_megabyte_harms_nobody() -> None:
    made = chain(questions=[QUESTION], stride=0)
    made.stages[0].trunk.forward_tokens = 4096
    short, long = event(), event(SECRET + f" {'y' * 120}" * 8500)
    (wanted,) = run(made, event())
    beside_long, _ = run(made, short, long)
    assert beside_long["t"]["answers"][0]["answer"] == wanted["t"]["answers"][0]["answer"]
