"""The baseline: a linear layer on the frozen trunk, fitted on the train files and measured on the test files.

python -m training.measures.probe --data ../shared/data      writes training/measures/probe.json; resumes

Sentences are the mean of their tokens in the last layer, pairs ``[u; v; |u - v|; u * v]`` of both (Conneau et al. 2017,
InferSent), tokens are used as they are. Nothing is chosen on dev files. Probes stated with the floors are not repeated.
"""

from __future__ import annotations

import json
import random as chances
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
import transformers
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from training import mentions, pairs, sources, tokens
from training.data import Data
from training.measures.frozen import Frozen, fit, joined, one_hot
from training.measures.known import PROBES
from training.measures.metrics import exact_match, f2, f_score, ratio, span_counts, token_f1
from training.measures.pairs import similarity
from training.measures.words import CHECKED, UNMARKED
from training.names import Span, decode, is_handle
from training.reading import Unit
from training.sentiment import LABELS as SENTIMENTS
from workers.learning.scores import auroc, macro_f1
from workers.tasks import answers

QUESTIONS = 3000
"""The number of windows for answers, limited because all of their tokens are in memory."""
Figures = Iterator[tuple[str, float]]


def _taught(units: Sequence[Unit]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.stack([unit.target for unit in units])), torch.tensor([unit.weight for unit in units])


def sentiment(frozen: Frozen) -> Figures:
    units = frozen.thin(sources.classified(frozen.reader, sources.review_parts(frozen.data)))
    targets, weights = _taught(units)
    linear = fit(frozen.vectors(units), targets, weights=weights)
    examples = frozen.read("sentiment/tweeteval_sentiment.test")
    predicted = linear(frozen.vectors(_read(frozen, examples))).argmax(1)
    gold = np.array([SENTIMENTS.index(example["label"]) for example in examples])
    yield "sentiment tweeteval_sentiment.test macro F1", macro_f1(gold, predicted.numpy(), 3)


def moderation(frozen: Frozen) -> Figures:
    units = frozen.thin(sources.harmful(frozen.data, frozen.reader))
    targets, weights = _taught(units)
    linear = fit(frozen.vectors(units), targets, multi_label=True, weights=weights)
    for column, name in enumerate(("offensive", "hate")):
        examples = frozen.read(f"moderation/tweeteval_{name}.test")
        scores = linear(frozen.vectors(_read(frozen, examples)))[:, column].numpy()
        gold = np.array([example["label"] == name for example in examples])
        yield f"moderation tweeteval_{name}.test AUROC", auroc(gold, scores)


def _read(frozen: Frozen, examples: Sequence[dict[str, Any]]) -> list[Unit]:
    return [Unit([frozen.reader.text(example["text"])[0]], None) for example in examples]


def aspects(frozen: Frozen) -> Figures:
    def side(split: str) -> tuple[Tensor, list[str]]:
        asked = [(e["text"], a) for e in frozen.read(f"absa/mams_atsa.{split}") for a in e["aspects"]]
        return frozen.pairs([text for text, _ in asked], [a["term"] for _, a in asked]), [a["label"] for _, a in asked]

    features, labels = side("train")
    linear = fit(features, one_hot(labels, pairs.ABSA_LABELS))
    features, labels = side("test")
    yield "aspect-sentiment mams_atsa.test accuracy", _hits(linear(features), one_hot(labels, pairs.ABSA_LABELS))


def nli(frozen: Frozen) -> Figures:
    def side(*names: str) -> tuple[Tensor, Tensor]:
        examples = [example for name in names for example in frozen.read(f"nli/{name}")]
        features = frozen.pairs([e["premise"] for e in examples], [e["hypothesis"] for e in examples])
        return features, one_hot([e["label"] for e in examples], pairs.NLI_LABELS)

    linear = fit(*side("taxinli.train", "cad.train"))
    for name in ("taxinli.test", "cad.test"):
        features, gold = side(name)
        yield f"nli {name} accuracy", _hits(linear(features), gold)


def _hits(logits: Tensor, gold: Tensor) -> float:
    return float((logits.argmax(1) == gold.argmax(1)).float().mean())


def zero_shot(frozen: Frozen) -> Figures:
    """Pairs of a text and a label's name: the right label against three wrong ones."""
    chance = chances.Random(0)
    examples = [e for e in frozen.data.read("zero_shot/clinc150.train") if e["label"] != "oos"]
    unseen = pairs.held_out(example["label"] for example in examples)
    known = sorted({example["label"] for example in examples} - set(unseen))
    rows = []
    for example in frozen.thin([example for example in examples if example["label"] in known]):
        wrong = chance.sample([label for label in known if label != example["label"]], 3)
        rows += [(example["text"], label, float(label == example["label"])) for label in (example["label"], *wrong)]
    features = frozen.pairs([text for text, _, _ in rows], [_phrase(label) for _, label, _ in rows])
    linear = fit(features, torch.tensor([[true] for _, _, true in rows]), multi_label=True)
    asked = [e for e in frozen.data.read("zero_shot/clinc150.test") if e["label"] in unseen]
    texts = [example["text"] for example in asked for _ in unseen]
    scores = linear(frozen.pairs(texts, [_phrase(label) for _ in asked for label in unseen])).view(len(asked), -1)
    labels = [unseen[best] for best in scores.argmax(1).tolist()]
    right = [label == example["label"] for label, example in zip(labels, asked, strict=True)]
    yield f"zero-shot clinc150.test, {len(unseen)} unseen intents accuracy", sum(right) / len(right)


def _phrase(label: str) -> str:
    return f"This example is {pairs.spoken(label)}."


def names(frozen: Frozen) -> Figures:
    """Each set after its own train file."""
    for name in ("wikigold", "btc"):
        train, test = (tokens.named(frozen.data, frozen.reader, name, split) for split in ("train", "test"))
        tagged = _tagged(frozen, train, test, "ner", tokens.NER_LABELS)
        table = []
        for unit, predicted in zip(frozen.thin(test), tagged, strict=True):
            text, gold = unit.target["text"], _spans(unit, tokens.NER_TYPES)
            sides = [
                {span for span in side if name != "btc" or not is_handle(text, span[0])} for side in (gold, predicted)
            ]
            table.append(span_counts(*sides))
        of = " without handles" if name == "btc" else ""
        yield f"ner {name}.test span F1{of}", f_score(*np.sum(table, axis=0))


def personal(frozen: Frozen) -> Figures:
    train, test = (tokens.presidio(frozen.data, frozen.reader, split) for split in ("train", "test"))
    tagged = _tagged(frozen, train, test, "pii", tokens.PII_LABELS)
    large = {example["text"] for example in frozen.data.read("pii/presidio_large.test")}
    table, checked = [], []
    for unit, predicted in zip(frozen.thin(test), tagged, strict=True):
        gold = _spans(unit, tokens.PII_NAMES)
        skipped = UNMARKED["large"] if unit.target["text"] in large else set()
        table.append(span_counts(gold, {span for span in predicted if span[2] not in skipped}))
        numbers = {span for span in gold if span[2] in CHECKED}
        checked.append((len(numbers & predicted), len(numbers)))
    yield "pii presidio.test span F2", f2(*np.sum(table, axis=0))
    yield "pii presidio.test recall checked numbers", ratio(*np.sum(checked, axis=0))


def _tagged(frozen: Frozen, train: list[Unit], test: list[Unit], head: str, labels: list[str]) -> list[set[Span]]:
    """Return the spans of the test texts. A token that may have several labels gets the first, which is outside."""
    train, test = frozen.thin(train), frozen.thin(test)
    allowed = torch.from_numpy(np.concatenate([unit.target[head] for unit in train]))
    states = torch.cat(frozen.states([unit.items[0] for unit in train]))
    learn = ~allowed.all(1)
    targets = functional.one_hot(allowed[learn].int().argmax(1), len(labels)).float()
    linear = fit(states[learn], targets)
    rows = frozen.states([unit.items[0] for unit in test])
    return [
        decode(unit.target["encoding"], linear(row).softmax(1).numpy(), labels, "first")
        for unit, row in zip(test, rows, strict=True)
    ]


def _spans(unit: Unit, types: dict[str, str]) -> set[Span]:
    return {(s["start"], s["end"], types.get(s["label"], s["label"])) for s in unit.target["spans"]}


def questions(frozen: Frozen) -> Figures:
    units = frozen.thin(pairs.answered(frozen.data, frozen.reader), QUESTIONS)
    edges = []
    for unit in units:
        rows = torch.zeros(len(unit), 2)
        for start, end in unit.target:
            rows[start, 0] = rows[end, 1] = 1.0
        edges.append(rows)
    linear = fit(torch.cat(frozen.states([unit.items[0] for unit in units])), torch.cat(edges), multi_label=True)
    scores = []
    for example in frozen.read("qa/qed.dev"):
        windows = frozen.reader.windows(example["question"], example["context"], stride=64)
        logits = [linear(row).numpy() for row in frozen.states([item for item, _ in windows])]
        best = answers.decode(
            example["context"], [encoding for _, encoding in windows], logits, n_best=1, max_answer_tokens=30,
            null_threshold=0.0, can_be_unanswerable=False,
        ).best  # fmt: skip
        said = "" if best is None else example["context"][best.start : best.end]
        gold = [answer["text"] for answer in example["answers"]]
        scores.append((token_f1(said, gold), exact_match(said, gold)))
    overlap, exact = np.mean(scores, axis=0).tolist()
    yield "question-answering qed.dev token F1", overlap
    yield "question-answering qed.dev exact match", exact


def pronouns(frozen: Frozen) -> Figures:
    """A pronoun and a name as a pair; LitBank has no linear baseline."""

    def side(split: str) -> tuple[Tensor, Tensor]:
        units = frozen.thin(mentions.named_by_pronoun(frozen.data, frozen.reader, split))
        segments = iter(frozen.states([item for unit in units for item in unit.items]))
        rows = []
        for unit in units:
            states = torch.cat([next(segments) for _ in unit.items]).float()
            pronoun, *pair = (states[first : last + 1].mean(0) for first, last in unit.target["gap"])
            rows += [joined(pronoun, name) for name in pair]
        return torch.stack(rows), torch.tensor([[float(unit.target["target"] == n)] for unit in units for n in (1, 2)])

    linear = fit(*side("train"), multi_label=True)
    features, gold = side("test")
    linked = linear(features) > 0
    hits = (linked & gold.bool()).sum()
    yield "coreference gap.test F1", f_score(float(hits), float(linked.sum()), float(gold.sum()))


def cosine(frozen: Frozen) -> Figures:
    """There is nothing to fit, because the trunk was trained for this."""
    unadapted = next(iter(similarity(frozen.bench)))
    yield unadapted.key, unadapted.value


PARTS = [sentiment, moderation, aspects, nli, zero_shot, names, personal, questions, pronouns, cosine]


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=PROBES, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), help="Use at most so many examples of each file.")
@click.option("--threads", type=click.IntRange(min=1))
def main(*, data: Path, out: Path, limit: int | None, threads: int | None) -> None:
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    console, frozen = Console(), Frozen(Data(data), limit)
    done: dict[str, dict[str, float]] = json.loads(out.read_bytes()) if out.exists() else {}
    for part in PARTS:
        if part.__name__ in done:
            continue
        done[part.__name__] = {key: round(value, 4) for key, value in part(frozen)}
        out.write_text(json.dumps(done, indent=2) + "\n", encoding="utf-8")
        for key, value in done[part.__name__].items():
            console.print(f"{key}: {value:.3f}", highlight=False)


if __name__ == "__main__":
    main()
