"""Temperatures and thresholds of the trained heads, chosen on dev files only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training import moderation, names, pairs, sentiment, sources, tokens
from training.data import Data
from training.harm import making
from training.joint import Learner
from training.reading import Reader, Unit, collate, in_parts
from training.shipped import LearnerLike
from training.texts import Texts
from workers.learning.scores import macro_f1, span_f1, temperature

TOKENS = 4096


@torch.no_grad()
def logits(learner: LearnerLike, head: str, units: Sequence[Unit]) -> list[Tensor]:
    """Return logits per unit: ``[labels]`` of a sequence head, ``[tokens, labels]`` of a token head."""
    rows: dict[int, Tensor] = {}
    for part in in_parts(units, TOKENS):
        hidden, starts, sides = learner(*collate([unit.items[0] for unit in part], None))
        scores_of = learner.heads[head](hidden, starts, sides)
        split = scores_of.split(starts.diff().tolist()) if learner.heads[head].kind != "sequence" else scores_of
        rows.update((id(unit), row) for unit, row in zip(part, split, strict=True))
    return [rows[id(unit)] for unit in units]


def calibrate(learner: Learner, data: Data, reader: Reader) -> dict[str, float]:
    """Set every head's temperature, moderation's thresholds and the token heads' aggregation; return dev scores."""
    learner.eval()
    return {
        **token_heads(learner, data, reader),
        **_sentiment(learner, data, reader),
        **harm(learner, data, reader),
        **_pairs(learner, data, reader),
    }


def token_heads(
    learner: LearnerLike, data: Data, reader: Reader, only: Collection[str] = ("ner", "pos")
) -> dict[str, float]:
    """Set the temperatures of names and parts of speech, and the aggregation of names; return dev scores.

    Heads that are not in ``only`` are left alone; so is the one of personal data, which has no dev file.
    """
    tagged = {example["text"]: example for example in data.read("pos/ewt.dev")}
    out: dict[str, float] = {}
    if "ner" in only:
        out |= _names(learner, {
            name: tokens.named(data, reader, name, "dev", tagged) for name in ("uner_ewt", "wikigold", "btc", "wnut17")
        })  # fmt: skip
    if "pos" in only:
        out |= _speech(learner, tokens.named(data, reader, "uner_ewt", "dev", tagged))
    return out


def _names(learner: LearnerLike, splits: dict[str, list[Unit]]) -> dict[str, float]:
    head: Any = learner.heads["ner"]
    out, rows, targets = {}, [], []
    scores_of: dict[str, list[float]] = {"first": [], "average": [], "max": []}
    for name, units in splits.items():
        raw = logits(learner, "ner", units)
        for aggregation, scores in scores_of.items():
            score = span_score(units, raw, aggregation, misc=name in tokens.MARKS_MISC)
            scores.append(score)
            out[f"ner {name} {aggregation}"] = score
        if name in tokens.MARKS_MISC:
            for unit, row in zip(units, raw, strict=True):
                certain = unit.target["ner"].sum(1) == 1
                rows.append(row[torch.from_numpy(certain)])
                targets.append(torch.from_numpy(unit.target["ner"][certain].astype(np.float32)))
    head.temperature.fill_(temperature(torch.cat(rows), torch.cat(targets), multi_label=False))
    # BTC is left out, because its scores depend on user handles.
    head.aggregation = max(scores_of, key=lambda name: scores_of[name][0] + scores_of[name][1] + scores_of[name][3])
    return out


def _speech(learner: LearnerLike, units: Sequence[Unit]) -> dict[str, float]:
    head: Any = learner.heads["pos"]
    speech = [unit for unit in units if "pos" in unit.target]
    hits, rows, targets = [], [], []
    for unit, row in zip(speech, logits(learner, "pos", speech), strict=True):
        tagged = torch.from_numpy(~unit.target["pos"].all(1))
        truth = torch.from_numpy(unit.target["pos"].astype(np.float32))[tagged]
        hits.append(truth.argmax(1) == row[tagged].argmax(1))
        rows.append(row[tagged])
        targets.append(truth)
    head.temperature.fill_(temperature(torch.cat(rows), torch.cat(targets), multi_label=False))
    return {"pos": float(torch.cat(hits).float().mean())}


def span_score(units: Sequence[Unit], raw: Sequence[Tensor], aggregation: str, *, misc: bool) -> float:
    gold, scores_of = [], []
    for unit, row in zip(units, raw, strict=True):
        text = unit.target["text"]
        spans = names.decode(unit.target["encoding"], row.softmax(1).numpy(), tokens.NER_LABELS, aggregation)
        kept = {span for span in spans if (misc or span[2] != "MISC") and text[span[0]] != "@"}
        gold.append({
            (span["start"], span["end"], tokens.NER_TYPES[span["label"]])
            for span in unit.target["spans"] if text[span["start"]] != "@"
        })  # fmt: skip
        scores_of.append(kept)
    return span_f1(gold, scores_of)


def _sentiment(learner: Learner, data: Data, reader: Reader) -> dict[str, float]:
    parts = [sentiment.reviews(data, "dev"), sentiment.restaurant(data, "dev"), sentiment.made_up("dev")]
    head: Any = learner.heads["sentiment"]
    rows, out = [], {}
    for part in parts:
        raw = torch.stack(logits(learner, "sentiment", sources.classified(reader, [part])))
        gold = np.array(part.targets).argmax(1)
        out[part.name] = sentiment.polarity_accuracy(raw.numpy(), gold)
        rows.append(raw)
    targets = torch.tensor([target for part in parts for target in part.targets])
    weights = torch.tensor([weight for part in parts for weight in part.weights])
    head.temperature.fill_(temperature(torch.cat(rows), targets, multi_label=False, weights=weights))
    return out


def harm(learner: LearnerLike, data: Data, reader: Reader) -> dict[str, float]:
    """Set the temperature and thresholds of moderation; return dev scores."""
    tweets, templates = moderation.tweets(data, "dev"), making.texts("dev")
    ordinary = [*moderation.harmless(data, "dev"), moderation.made_up("dev")]
    head: Any = learner.heads["moderation"]

    def raw(parts: Sequence[Texts]) -> Tensor:
        return torch.stack(logits(learner, "moderation", sources.classified(reader, parts)))

    rows = [raw([tweets]), raw(ordinary), raw([templates])]
    targets = torch.tensor([target for part in (tweets, *ordinary, templates) for target in part.targets])
    known = ~targets.isnan()
    head.temperature.fill_(temperature(torch.cat(rows)[known][:, None], targets[known][:, None], multi_label=True))
    scores, others, held_out = ((part / head.temperature).sigmoid().numpy() for part in rows)
    wanted = np.array(templates.targets)
    harmless = np.array([target[0] < 0.5 for part in ordinary for target in part.targets])
    judge = moderation.judge(held_out, wanted, others[harmless])
    chosen, best = moderation.best_thresholds(scores, moderation.classes(data, "dev"), judge)
    thresholds = dict(zip(moderation.VOTED, chosen, strict=True))
    for place, label in enumerate(moderation.LABELS[len(chosen) :], len(chosen)):
        sure = ~np.isnan(wanted[:, place])
        thresholds[label] = moderation.sparing_threshold(
            held_out[sure, place], wanted[sure, place] > 0.5, others[harmless, place]
        )
    head.thresholds = thresholds
    limits = np.array(list(thresholds.values()))
    flagged, flagged_templates = ((part >= limits).any(1) for part in (others, held_out))
    kinds = np.array(making.kind_of_each("dev"))
    return {
        "moderation macro F1": best,
        "held-out templates, balanced accuracy": judge(*chosen),
        "ordinary texts flagged": float(flagged[harmless].mean()),
        **{f"flagged: {name}": float(flagged_templates[kinds == name].mean()) for name in making.KINDS},
    }


def _pairs(learner: Learner, data: Data, reader: Reader) -> dict[str, float]:
    out = {}
    sets = {"nli": pairs.inferred(data, reader, "dev"), "absa": pairs.judged(data, reader, "dev")}
    for name, units in sets.items():
        raw = torch.stack(logits(learner, name, units))
        gold = torch.tensor([unit.target for unit in units])
        classes = torch.nn.functional.one_hot(gold, raw.shape[1]).float()
        head: Any = learner.heads[name]
        head.temperature.fill_(temperature(raw, classes, multi_label=False))
        out[name] = float((raw.argmax(1) == gold).float().mean())
        out[f"{name} macro F1"] = macro_f1(gold.numpy(), raw.argmax(1).numpy(), raw.shape[1])
    return out
