"""A pack tried as the pipeline will run it: thresholds and aggregation chosen on dev, both heads measured on test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.document import Annotation, Document
from schemas.errors import LabelsError
from schemas.labels import CLEAN
from schemas.pipeline.config import Pipeline
from workers.chain.chain import Chain
from workers.learning.examples import Example, Labelled, Task, canonical
from workers.learning.metrics import measure
from workers.tasks.scores import DECIMALS

AGGREGATIONS = ("simple", "first", "average", "max")
CHUNK = 64
FEWEST_FLAGGED = 3
"""Dev texts that must be over a threshold before its precision is believed."""


def chain(model: str, task: Task, device: str, variants: Sequence[Mapping[str, Any]] = ({},)) -> Chain:
    """One task, or several that differ in a setting, under the names ``own0``, ``own1`` ... Raises ModelError."""
    fixed = {"task": task, "model": model, **({"taxonomy": "model"} if task == "moderation" else {})}
    return Chain.load(Pipeline.model_validate({
        "pipeline": "train", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": f"own{n}", **fixed, **variant} for n, variant in enumerate(variants)],
        "output": {"topic": "out"}, "compute": {"device": device},
    }))  # fmt: skip


def annotated(made: Chain, examples: Sequence[Example], advance: Callable[[int], object]) -> list[list[Annotation]]:
    """Per task of the chain, what it says of each text. Raises LabelsError naming a text that it cannot read."""
    found: list[list[Annotation]] = [[] for _ in made.plan]
    for first in range(0, len(examples), CHUNK):
        part = examples[first : first + CHUNK]
        documents = [Document(None, example.text) for example in part]
        made.run(documents)
        for example, document in zip(part, documents, strict=True):
            if document.failure is not None:
                raise LabelsError(f"{example.row.place}: {document.failure.message}")
            for n, own in enumerate(found):
                own.append(document.annotations[f"own{n}"])
        advance(len(part))
    return found


def labels_of(made: Chain, task: Task) -> set[str]:
    """The labels that the chain's first task annotates with, as ``canonical`` spells them."""
    labels = made.plan[0].task.head.labels
    if task == "ner":
        labels = tuple(label[2:] if label.startswith(("B-", "I-")) else label for label in labels if label != "O")
    if task == "moderation":
        labels = tuple(label for label in labels if label.lower() not in CLEAN)
    return set(canonical(task, labels).values())


def best_aggregation(model: str, labelled: Labelled, dev: Sequence[Example], device: str) -> str:
    """The way of joining word pieces whose span F1 on dev is best; the first of equal ones."""
    made = chain(model, "ner", device, [{"aggregation": way} for way in AGGREGATIONS])
    found = annotated(made, dev, lambda _: None)
    scores = [measure("ner", labelled.labels, dev, own)[0].value for own in found]
    # Without a span in dev there is nothing to choose by.
    order = np.nan_to_num(np.array(scores), nan=0.0)
    return AGGREGATIONS[int(order.argmax())] if order.any() else "first"


def thresholds(
    model: str, labelled: Labelled, dev: Sequence[Example], precision: float, device: str
) -> dict[str, tuple[float, bool]]:
    """Per label the threshold of most recall with that precision on dev, True; or the one of the best F1, False."""
    (found,) = annotated(chain(model, "moderation", device), dev, lambda _: None)
    out = {}
    for label in labelled.labels:
        scores = np.array([next(one["score"] for one in own["labels"] if one["label"] == label) for own in found])
        gold = np.array([label in example.labels for example in dev])
        out[label] = threshold(scores, gold, precision)
    return out


def threshold(scores: NDArray[np.float64], gold: NDArray[np.bool_], precision: float) -> tuple[float, bool]:
    """The threshold of most recall with that precision, and True; where none has it, the one of the best F1, and False.

    0.5 where no text has the label. It lies midway between two scores, so that neither hangs on a rounding.
    """
    if not gold.any():
        return 0.5, False
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(gold[order])
    said = np.arange(1, len(ranked) + 1)
    # A threshold can only lie between two scores that differ.
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    reached = [end for end in ends if right[end] >= precision * said[end] and said[end] >= FEWEST_FLAGGED]
    if reached:
        # Going lower than the last right one would flag more and find nothing.
        best = next(end for end in reached if right[end] == right[reached[-1]])
    else:
        best = ends[np.argmax(2 * right[ends] / (said[ends] + gold.sum()))]
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    # Scores have six decimals, so that what lies between two of them needs seven.
    return round(float(ranked[best] + below) / 2, DECIMALS + 1), bool(reached)
