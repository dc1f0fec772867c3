"""``aspect-sentiment``, ``nli``, ``zero-shot``, ``question-answering``, ``similarity``, ``embedding``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from training.measures.base import Bench, Measured, accuracy, labelled, mean, measured, summed
from training.measures.metrics import exact_match, ratio, spearman, token_f1
from training.pairs import held_out, spoken
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack


def aspect_sentiment(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("absa/mams_atsa.test")
    # Aspects of one sentence may overlap, which those of an event must not, so each gets its own document.
    asked = [(row, example["text"], aspect) for row, example in enumerate(examples) for aspect in example["aspects"]]
    fields = [{"aspects": [{"start": aspect["start"], "end": aspect["end"]}]} for _, _, aspect in asked]
    results = bench.annotate(
        {"task": "aspect-sentiment", "aspects": "$.aspects"}, [text for _, text, _ in asked], fields
    )
    aspects = [result["aspects"][0] for result in results]
    table = np.zeros((len(examples), 2))
    for (row, _, aspect), result in zip(asked, aspects, strict=True):
        table[row] += result["label"] == aspect["label"], 1
    yield measured("aspect-sentiment", "mams_atsa.test", "accuracy", summed(table, ratio), len(examples))
    yield labelled("aspect-sentiment", "mams_atsa.test", aspects, [aspect["label"] for _, _, aspect in asked])


def nli(bench: Bench) -> Iterator[Measured]:
    for name in ("taxinli.test", "cad.test"):
        examples = bench.read(f"nli/{name}")
        gold = [example["label"] for example in examples]
        results = bench.annotate(
            {"task": "nli", "hypothesis": "$.hypothesis"}, [example["premise"] for example in examples], examples
        )
        yield accuracy("nli", name, [result["label"] == label for result, label in zip(results, gold, strict=True)])
        yield labelled("nli", name, results, gold)


def zero_shot(bench: Bench) -> Iterator[Measured]:
    labels = held_out(example["label"] for example in bench.data.read("zero_shot/clinc150.train"))
    chosen = [example for example in bench.data.read("zero_shot/clinc150.test") if example["label"] in labels]
    examples = bench.thin(chosen)
    gold = [spoken(example["label"]) for example in examples]
    results = bench.annotate(
        {"task": "zero-shot", "labels": list(map(spoken, labels))}, [example["text"] for example in examples]
    )
    set_ = f"clinc150.test, {len(labels)} unseen intents"
    yield accuracy("zero-shot", set_, [result["label"] == label for result, label in zip(results, gold, strict=True)])
    yield labelled("zero-shot", set_, results, gold)


def question_answering(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("qa/qed.dev")
    results = bench.annotate(
        {"task": "question-answering", "question": "$.question", "unanswerable": False},
        [example["context"] for example in examples],
        examples,
    )
    answers = [result["answers"][0]["answer"] for result in results]
    answered = ["" if answer is None else answer["text"] for answer in answers]
    gold = [[answer["text"] for answer in example["answers"]] for example in examples]
    for metric, score in (("token F1", token_f1), ("exact match", exact_match)):
        values = [score(*pair) for pair in zip(answered, gold, strict=True)]
        yield measured("question-answering", "qed.dev", metric, mean(values), len(values))


def similarity(bench: Bench) -> Iterator[Measured]:
    """Measure the unadapted trunk too, to show what sharing costs."""
    examples = bench.read("similarity/stsb_nomsrpar.test")
    plain = HeadPack.open(STARTER, STARTER_FOLDER).trunk().model
    for model, of in ((bench.model, ""), (plain, "unadapted trunk")):
        results = bench.annotate(
            {"task": "similarity", "against": "$.text2", "model": model}, [e["text1"] for e in examples], examples
        )
        yield _correlated("similarity", [result["score"] for result in results], [e["score"] for e in examples], of)


def embedding(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("similarity/stsb_nomsrpar.test")
    texts = list(dict.fromkeys(example[side] for example in examples for side in ("text1", "text2")))
    results = bench.annotate({"task": "embedding"}, texts)
    vectors = dict(zip(texts, (np.array(result["vector"]) for result in results), strict=True))
    cosines = [float(vectors[example["text1"]] @ vectors[example["text2"]]) for example in examples]
    yield _correlated("embedding", cosines, [example["score"] for example in examples], "")


def _correlated(task: str, scores: ArrayLike, gold: ArrayLike, of: str) -> Measured:
    predicted, expected = np.asarray(scores, np.float64), np.asarray(gold, np.float64)
    return measured(
        task,
        "stsb_nomsrpar.test",
        "Spearman",
        lambda rows: spearman(predicted[rows], expected[rows]),
        len(predicted),
        of=of,
    )
