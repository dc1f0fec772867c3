"""Pairs of texts against plain transformers, and zero-shot against its pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import transformers

from schemas.document import Document
from schemas.errors import ModelError
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain
from tests.workers.tasks.events import SECRET, TEXT, event, fails_alone, run
from workers.chain.chain import Chain

NLI = ("contradiction", "neutral", "entailment")
FAMILIES = ("bert", "roberta", "xlm-roberta", "distilbert", "modernbert", "albert", "deberta", "deberta-v2", "mpnet")
HYPOTHESIS = "the brown fox"
LONG = "Das Café in Zürich schließt schon um fünf Uhr, again and again. " * 6


def folder(family: str = "bert", labels: tuple[str, ...] = NLI, seed: int = 0) -> Any:
    return tiny.checkpoint(family, "sequence", seed, labels)


def chain(task: str, model: Any = None, **settings: Any) -> Chain:
    return Chain.load(pipeline({"name": "t", "task": task, "model": str(model or folder()), **settings}))


def scores(model: Any, first: str, second: str) -> np.ndarray:
    """[windows, labels], after softmax."""
    return np.stack([plain.softmax(window.rows) for window in plain.read(model, "sequence", first, second)])


def as_said(annotation: dict[str, Any], row: np.ndarray, labels: tuple[str, ...] = NLI) -> None:
    assert annotation["scores"] == pytest.approx(dict(zip(labels, row.tolist(), strict=True)), abs=1e-4)
    assert annotation["label"] == labels[int(row.argmax())]
    assert annotation["score"] == annotation["scores"][annotation["label"]]


@pytest.mark.parametrize("family", FAMILIES)
def test_nli_equals_transformers(family: str) -> None:
    model = folder(family)
    made = chain("nli", model, hypothesis="$.claim")
    pairs = [(TEXT, HYPOTHESIS), (HYPOTHESIS, TEXT), (TEXT, "fox"), ("", "fox")]
    annotated = run(made, *(event(premise, claim=other) for premise, other in pairs))
    for (premise, hypothesis), entry in zip(pairs, annotated, strict=True):
        (row,) = scores(model, premise, hypothesis)
        as_said(entry["t"], row)
    # The order of the two texts matters; otherwise the comparison would show little.
    assert annotated[0]["t"]["scores"] != pytest.approx(annotated[1]["t"]["scores"], abs=1e-3)


def test_a_premise_can_come_from_the_event_too() -> None:
    made = chain("nli", premise="$.said.first", hypothesis="$['the claim']")
    bad = Document(None, SECRET, b"{}", fields={"said": {"first": TEXT}, "the claim": HYPOTHESIS})
    (annotated,) = run(made, bad)
    as_said(annotated["t"], scores(folder(), TEXT, HYPOTHESIS)[0])


def test_many_hypotheses_come_in_the_order_of_the_file() -> None:
    hypotheses = ["a fox", "Paris is far away", "butter"]
    (annotated,) = run(chain("nli", hypotheses=hypotheses), event())
    assert [entry["hypothesis"] for entry in annotated["t"]["hypotheses"]] == hypotheses
    for hypothesis, entry in zip(hypotheses, annotated["t"]["hypotheses"], strict=True):
        as_said(entry, scores(folder(), TEXT, hypothesis)[0])


@pytest.mark.parametrize(("family", "seed"), [("bert", 2), ("roberta", 0), ("xlm-roberta", 0)])
def test_of_a_long_premise_the_window_that_entails_most_decides(family: str, seed: int) -> None:
    model = folder(family, seed=seed)
    rows = scores(model, LONG, HYPOTHESIS)
    assert len(rows) > 2
    assert rows[:, 2].argmax() != 0
    (annotated,) = run(chain("nli", model, hypothesis="$.claim"), event(LONG, claim=HYPOTHESIS))
    as_said(annotated["t"], rows[rows[:, 2].argmax()])


def test_or_the_mean_weighted_by_length() -> None:
    windows = plain.read(folder(), "sequence", LONG, HYPOTHESIS)
    (annotated,) = run(chain("nli", hypothesis="$.claim", merge="mean"), event(LONG, claim=HYPOTHESIS))
    as_said(annotated["t"], plain.mean(windows, [plain.softmax(window.rows) for window in windows]))


def test_a_premise_cut_off_is_noted() -> None:
    made = chain("nli", hypothesis="$.claim", long_text="truncate")
    document = event(LONG, claim=HYPOTHESIS)
    (annotated,) = run(made, document)
    window, *rest = plain.read(folder(), "sequence", LONG, HYPOTHESIS, stride=0)
    assert rest
    as_said(annotated["t"], plain.softmax(window.rows))
    tokens = zip(window.encoding.offsets, window.encoding.sequence_ids, strict=True)
    kept = max(end for (_, end), side in tokens if side == 0)
    assert document.notices == [{"task": "t", "kind": "truncated", "kept": kept, "of": len(LONG)}]


@pytest.mark.parametrize(
    ("labels", "spelled"),
    [
        (("CONTRADICTION", "NEUTRAL", "ENTAILMENT"), ("contradiction", "neutral", "entailment")),
        (("entails", "not_entailment"), ("entailment", "not_entailment")),
        (("yes", "Entailment", "LABEL_2"), ("yes", "entailment", "LABEL_2")),
    ],
)
def test_the_three_classes_are_spelled_in_one_way(labels: tuple[str, ...], spelled: tuple[str, ...]) -> None:
    (annotated,) = run(chain("nli", folder(labels=labels), hypothesis="$.claim"), event(claim=HYPOTHESIS))
    as_said(annotated["t"], scores(folder(labels=labels), TEXT, HYPOTHESIS)[0], spelled)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("multi_label", [False, True])
def test_zero_shot_equals_the_pipeline(family: str, multi_label: bool) -> None:
    labels = ["coffee", "Paris", "far"]
    tokenizer, model = plain.loaded(folder(family), "sequence")
    pipe = transformers.ZeroShotClassificationPipeline(model=model, tokenizer=tokenizer, device="cpu")
    made = chain("zero-shot", folder(family), labels=labels, template="It is {}.", multi_label=multi_label)
    texts = [TEXT, "the quick brown fox", "e\N{COMBINING ACUTE ACCENT}te 10/10"]
    for text, annotated in zip(texts, run(made, *map(event, texts)), strict=True):
        wanted = pipe(text, labels, hypothesis_template="It is {}.", multi_label=multi_label)
        assert list(annotated["t"]["scores"]) == labels
        assert annotated["t"]["scores"] == pytest.approx(
            dict(zip(wanted["labels"], wanted["scores"], strict=True)), abs=1e-4
        )
        assert annotated["t"]["label"] == wanted["labels"][0]
        assert annotated["t"]["score"] == max(annotated["t"]["scores"].values())


def test_one_label_is_judged_by_itself() -> None:
    tokenizer, model = plain.loaded(folder(), "sequence")
    pipe = transformers.ZeroShotClassificationPipeline(model=model, tokenizer=tokenizer, device="cpu")
    (annotated,) = run(chain("zero-shot", labels=["coffee"]), event())
    assert annotated["t"]["score"] == pytest.approx(pipe(TEXT, ["coffee"])["scores"][0], abs=1e-4)


@pytest.mark.parametrize("merge", ["max", "mean"])
def test_zero_shot_of_a_long_text_is_merged_per_label(merge: str) -> None:
    labels = ["coffee", "Uhr"]
    rows = []
    for label in labels:
        windows = plain.read(folder(), "sequence", LONG, f"This example is {label}.")
        logits = [window.rows for window in windows]
        rows.append(plain.mean(windows, logits) if merge == "mean" else max(logits, key=lambda row: row[2]))
    wanted = plain.softmax(np.array([row[2] for row in rows]))
    (annotated,) = run(chain("zero-shot", labels=labels, merge=merge), event(LONG))
    assert list(annotated["t"]["scores"].values()) == pytest.approx(wanted.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("labels", "column"),
    [
        (("not_equivalent", "equivalent"), 1),
        (("not_duplicate", "duplicate"), 1),
        (("paraphrase", "other"), 0),
        (("is_duplicate", "other"), 0),
        (("LABEL_0", "LABEL_1"), 1),
    ],
)
def test_a_paraphrase_is_the_label_that_says_so(labels: tuple[str, ...], column: int) -> None:
    model = folder(labels=labels)
    (row,) = scores(model, TEXT, HYPOTHESIS)
    score = float(row[column])
    for threshold, said in ((score - 0.001, True), (score + 0.001, False)):
        made = chain("paraphrase", model, against="$.other", threshold=threshold)
        (annotated,) = run(made, event(other=HYPOTHESIS))
        assert annotated["t"] == {"paraphrase": said, "score": pytest.approx(score, abs=1e-4)}


def test_a_head_of_one_label_goes_through_a_sigmoid() -> None:
    model = folder(labels=("score",))
    (window,) = plain.read(model, "sequence", TEXT, HYPOTHESIS)
    (annotated,) = run(chain("paraphrase", model, against="$.other"), event(other=HYPOTHESIS))
    assert annotated["t"]["score"] == pytest.approx(float(1 / (1 + np.exp(-window.rows[0]))), abs=1e-4)


@pytest.mark.parametrize("merge", ["max", "mean"])
def test_a_paraphrase_of_a_long_text_is_its_surest_window_or_the_mean(merge: str) -> None:
    model = folder(labels=("not_duplicate", "duplicate"))
    windows = plain.read(model, "sequence", LONG, HYPOTHESIS)
    rows = [plain.softmax(window.rows) for window in windows]
    wanted = {"max": max(float(row[1]) for row in rows), "mean": float(plain.mean(windows, rows)[1])}
    assert abs(wanted["max"] - wanted["mean"]) > 1e-3
    (annotated,) = run(chain("paraphrase", model, against="$.other", merge=merge), event(LONG, other=HYPOTHESIS))
    assert annotated["t"]["score"] == pytest.approx(wanted[merge], abs=1e-4)


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("nli", {"hypothesis": "$.claim"}),
        ("zero-shot", {"labels": ["a", "b"]}),
        ("paraphrase", {"against": "$.other"}),
    ],
)
@pytest.mark.parametrize("labels", [("negative", "neutral", "positive"), ("not_paraphrase", "stars")])
def test_a_head_of_something_else_is_refused(task: str, settings: dict[str, Any], labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=rf'^task "t": model ".*" does not fit {task}'):
        chain(task, folder(labels=labels), **settings)


# Invalid values at $.other, and the messages about them.
BAD = {
    "a number": (17, "fields", "the value at $.other is not a text"),
    "a list": ([SECRET], "fields", "the value at $.other is not a text"),
    "nothing": (None, "fields", "the value at $.other is not a text"),
    "empty": ("", "fields", "the text at $.other is empty"),
    "blank": (" \t\N{NO-BREAK SPACE}", "fields", "the text at $.other is empty"),
    "huge": (SECRET * 200_000, "fields", "has 2000000 characters, the limit is 1000000"),
    "longer than the model takes": (f"{SECRET} " * 40, "tokenize",
                                    "the second text of the pair leaves the other no room in 48 tokens"),
    "a lone surrogate": (f"{SECRET} \udc00", "tokenize", "the tokenizer cannot read the text"),
}  # fmt: skip


@pytest.mark.parametrize("task", ["nli", "paraphrase"])
@pytest.mark.parametrize("case", BAD)
def test_a_second_text_that_cannot_be_read_fails_its_event_alone(task: str, case: str) -> None:
    other, stage, says = BAD[case]
    settings = {"hypothesis": "$.other"} if task == "nli" else {"against": "$.other"}
    made = chain(task, folder(labels=("entailment", "contradiction")), **settings)
    fails_alone(made, {"other": HYPOTHESIS}, event(SECRET, other=other), stage, says)


@pytest.mark.parametrize("fields", [None, {}, [], "text", {"said": None}, {"said": {"other": None}}, {"said": ["x"]}])
def test_an_event_without_the_second_text_fails_alone(fields: Any) -> None:
    made = chain("nli", premise="$.said.other[0]", hypothesis="$.text")
    bad = Document(None, SECRET, b"{}", fields=fields)
    fails_alone(made, {"said": {"other": [TEXT]}}, bad, "fields", "there is nothing at $.said.other[0]")
