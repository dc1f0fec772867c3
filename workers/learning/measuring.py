"""Measuring a pack as the pipeline will run it: choose thresholds and aggregation on dev, measure heads on test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.document import Annotation, Document
from schemas.errors import LabelsError, ModelError
from schemas.pipeline.config import Pipeline
from schemas.taxonomies import CLEAN, CLOSED, TAXONOMIES, spelled
from workers.chain.chain import Chain
from workers.learning.examples import Example, Labelled, Task, canonical
from workers.learning.metrics import Metric, measure
from workers.tasks.schemes import OUTSIDE, scheme_of
from workers.tasks.scores import DECIMALS

OF_WORDS = ("first", "average", "max")
AGGREGATIONS = ("simple", *OF_WORDS)
CHUNK = 64
"""Texts that are annotated together."""
FEWEST_FLAGGED = 3
"""The fewest dev texts that must reach a threshold for it to count as precise."""


def load_chain(model: str, task: Task, device: str, variants: Sequence[Mapping[str, Any]] = ({},)) -> Chain:
    """Load a chain with one task per variant, named ``variant0``, ``variant1`` and so on.

    Args:
        model: a pack's folder, or any other model.
        task: the task of all variants.
        device: as in ``compute.device``.
        variants: the settings in which the tasks differ.

    Raises:
        ModelError: if the model cannot be loaded or does not fit the task.
    """
    fixed = {"task": task, "model": model, **({"taxonomy": "model"} if task == "moderation" else {})}
    return Chain.load(Pipeline.model_validate({
        "pipeline": "train", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": f"variant{n}", **fixed, **variant} for n, variant in enumerate(variants)],
        "output": {"topic": "out"}, "compute": {"device": device},
    }))  # fmt: skip


def annotate(
    chain: Chain,
    examples: Sequence[Example],
    advance: Callable[[int], object],
    seen: Callable[[Document], object] = lambda _: None,
) -> list[list[Annotation]]:
    """Return, per task of the chain, the annotations of all examples.

    ``advance`` is told how many texts have been annotated since its last call; ``seen`` gets each annotated document.

    Raises:
        LabelsError: if a text cannot be annotated; the message names its row.
    """
    by_task: list[list[Annotation]] = [[] for _ in chain.plan]
    for first in range(0, len(examples), CHUNK):
        part = examples[first : first + CHUNK]
        documents = [Document(None, example.text) for example in part]
        chain.run(documents)
        for example, document in zip(part, documents, strict=True):
            if document.failure is not None:
                raise LabelsError(f"{example.row.place}: {document.failure.message}")
            seen(document)
            for n, column in enumerate(by_task):
                column.append(document.annotations[f"variant{n}"])
        advance(len(part))
    return by_task


def load_baseline(model: str, task: Task, labels: Collection[str], device: str) -> tuple[Chain, set[str]]:
    """Load the model that a head with these labels is compared with.

    A moderation has the taxonomy under which it gives most of them: decisions about its annotations have their names.

    Returns:
        The chain, and the labels that it does not give. Only a moderation can lack some: each is measured alone.

    Raises:
        ModelError: if the model cannot be loaded, does not fit the task, or does not give what the comparison needs.
    """
    chain = load_chain(model, task, device)
    names = _names(chain, task)
    best = max(names, key=lambda taxonomy: len(names[taxonomy].intersection(labels)))
    missing = set(labels) - names[best]
    if missing and (task != "moderation" or missing == set(labels)):
        raise ModelError(f"its head does not give {', '.join(sorted(missing))}")
    return (chain if best == "model" else load_chain(model, task, device, [{"taxonomy": best}])), missing


def _names(chain: Chain, task: Task) -> dict[str, set[str]]:
    """Return the labels that the chain's first task can annotate with, by taxonomy.

    Only a moderation has others than "model".
    """
    labels = chain.plan[0].task.head.labels
    if task == "ner":
        labels = tuple(kind for kind in scheme_of(labels).kinds if kind != OUTSIDE)
    if task == "moderation":
        labels = tuple(label for label in labels if spelled(label) not in CLEAN)
    names = {"model": set(canonical(task, labels).values())}
    if task == "moderation":
        for taxonomy, known in TAXONOMIES.items():
            kept = [label for label in labels if spelled(label) in known or taxonomy not in CLOSED]
            names[taxonomy] = {known.get(spelled(label), label) for label in kept}
    return names


def best_aggregation(
    model: str, labelled: Labelled, dev: Sequence[Example], device: str, among: Sequence[str] = AGGREGATIONS
) -> tuple[str, Metric]:
    """Return the aggregation with the best span F1 on dev, of equal ones the first, and that F1.

    If no span is right with any, it is "first". F1 is not a number if dev has no span.
    """
    chain = load_chain(model, "ner", device, [{"aggregation": name} for name in among])
    by_task = annotate(chain, dev, lambda _: None)
    scores = [measure("ner", labelled.labels, dev, annotations)[0] for annotations in by_task]
    order = np.nan_to_num(np.array([score.value for score in scores]), nan=0.0)
    best = int(order.argmax())
    return (among[best] if order.any() else "first"), scores[best]


def thresholds(
    model: str, labelled: Labelled, dev: Sequence[Example], precision: float, device: str
) -> dict[str, tuple[float, bool]]:
    """Return per label its threshold, and whether it has the requested precision on dev (see ``threshold``)."""
    (annotations,) = annotate(load_chain(model, "moderation", device), dev, lambda _: None)
    by_label = [{entry["label"]: entry["score"] for entry in annotation["labels"]} for annotation in annotations]
    out = {}
    for label in labelled.labels:
        scores = np.array([scored[label] for scored in by_label])
        gold = np.array([label in example.labels for example in dev])
        out[label] = threshold(scores, gold, precision)
    return out


def threshold(scores: NDArray[np.float64], gold: NDArray[np.bool_], precision: float) -> tuple[float, bool]:
    """Choose the threshold of a label.

    Args:
        scores: the label's score for each text, ``[texts]``.
        gold: whether each text has the label, ``[texts]``.
        precision: the precision to reach.

    Returns:
        The threshold with the highest recall among those that reach ``precision``, and True. If none does, the one with
        the best F1, and False; 0.5 and False if no text has the label. It is midway between two scores, so that neither
        depends on rounding.
    """
    if not gold.any():
        return 0.5, False
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(gold[order])
    flagged = np.arange(1, len(ranked) + 1)
    # A threshold must be between two different scores.
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    reached = [end for end in ends if right[end] >= precision * flagged[end] and flagged[end] >= FEWEST_FLAGGED]
    if reached:
        # A lower threshold with the same recall would only flag more texts wrongly.
        best = next(end for end in reached if right[end] == right[reached[-1]])
    else:
        best = ends[np.argmax(2 * right[ends] / (flagged[ends] + gold.sum()))]
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    # Scores have six decimals, so a number between two of them needs seven.
    return round(float(ranked[best] + below) / 2, DECIMALS + 1), bool(reached)
