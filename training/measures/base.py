"""Measuring on test sets: run texts through a chain, compare annotations with labels, resample for intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.document import Annotation, Document
from schemas.pipeline.config import Pipeline
from training.data import Data
from training.measures.metrics import NAN
from workers.chain.chain import Chain
from workers.learning.scores import calibration_error

MICRO_BATCH = 64
ROUNDS = 1000
BINS = 15
Precision: TypeAlias = Literal["float32", "bfloat16"]
Rows: TypeAlias = NDArray[np.int64]
"""The numbers of examples; in a resampled set some occur several times."""


class Measured(NamedTuple):
    """One line of the table.

    - ``n``: the number of examples, which are resampled for ``low`` and ``high``, the 95 % interval.
    - ``of``: if set, the part of the examples that ``metric`` is about.
    """

    task: str
    set: str
    metric: str
    n: int
    value: float
    low: float
    high: float
    of: str = ""

    @property
    def key(self) -> str:
        return " ".join(filter(None, (self.task, self.set, self.metric, self.of)))


@dataclass
class Bench:
    """The model to measure, and the texts. ``limit``: at most so many examples of each set, taken evenly."""

    model: str
    data: Data
    limit: int | None = None
    dtype: Precision = "float32"
    on_done: Callable[[int, int], object] = lambda done, total: None
    _first: dict[str, Chain] = field(default_factory=dict)

    def read(self, name: str) -> list[dict[str, Any]]:
        return self.thin(self.data.read(name))

    def thin(self, examples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        step = max(1, len(examples) // self.limit) if self.limit else 1
        return list(examples[::step][: self.limit])

    def annotate(
        self, task: Mapping[str, Any], texts: Sequence[str], fields: Sequence[Mapping[str, Any]] | None = None
    ) -> list[Annotation]:
        """Return the annotations of one task for each text. ``task``: as in the pipeline file, without ``name``; the
        default ``model`` is the measured one, None means none. ``fields``: the event of each text.

        Raises ModelError if the model does not fit the task, RuntimeError if a text cannot be annotated.
        """
        model = task.get("model", self.model)
        name = str(task["task"]).replace("-", "_")
        config = {"name": name, **task, "model": model}
        pipeline: dict[str, Any] = {
            "pipeline": "evaluate", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
            "tasks": [{key: value for key, value in config.items() if value is not None}], "output": {"topic": "out"},
            "compute": {"dtype": self.dtype},
        }  # fmt: skip
        chain = Chain.load(Pipeline.model_validate(pipeline), before=self._first.get(str(model)))
        # Later chains share the trunk of the first one, which has been tuned.
        if chain.stages and str(model) not in self._first:
            chain.warm_up()
            self._first[str(model)] = chain
        documents = [
            Document(None, text, fields=event) for text, event in zip(texts, fields or [{}] * len(texts), strict=True)
        ]
        for first in range(0, len(documents), MICRO_BATCH):
            self.on_done(first, len(documents))
            chain.run(documents[first : first + MICRO_BATCH])
        self.on_done(len(documents), len(documents))
        for number, document in enumerate(documents):
            if document.failure is not None:
                raise RuntimeError(f"text {number} of {name} failed: {document.failure.message}")
        return [document.annotations[name] for document in documents]


def interval(statistic: Callable[[Rows], float], n: int, rounds: int | None = None) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval (Efron 1979) of ``statistic`` over ``n`` examples."""
    random = np.random.default_rng(0)
    values = np.array([statistic(random.integers(0, max(n, 1), n)) for _ in range(rounds or ROUNDS)])
    # A sample may have nothing to count.
    counted = values[~np.isnan(values)]
    low, high = np.percentile(counted, (2.5, 97.5)) if len(counted) else (NAN, NAN)
    return float(low), float(high)


def measured(
    task: str, set_: str, metric: str, statistic: Callable[[Rows], float], n: int, *, of: str = ""
) -> Measured:
    """``statistic`` over all of ``n`` examples, with its interval."""
    return Measured(task, set_, metric, n, statistic(np.arange(n)), *interval(statistic, n), of)


def summed(table: ArrayLike, formula: Callable[..., float]) -> Callable[[Rows], float]:
    """Compute a statistic from sums over examples: ``formula`` gets the sums over ``table``, ``[examples, counts]``."""
    counts = np.asarray(table, np.float64)
    return lambda rows: formula(*counts[rows].sum(0).tolist())


def mean(values: ArrayLike) -> Callable[[Rows], float]:
    """``values``: one per example."""
    each = np.asarray(values, np.float64)
    return lambda rows: float(each[rows].mean())


def accuracy(task: str, set_: str, hits: ArrayLike, of: str = "") -> Measured:
    """``hits``: a truth value per example."""
    return measured(task, set_, "accuracy", mean(hits), len(np.asarray(hits)), of=of)


def calibration(task: str, set_: str, confidence: ArrayLike, correct: ArrayLike, of: str = "") -> Measured:
    """Expected calibration error of the scores ``confidence`` (Naeini et al. 2015)."""
    sure, right = np.asarray(confidence, np.float32), np.asarray(correct, bool)
    return measured(
        task, set_, f"ECE, {BINS} bins", lambda rows: calibration_error(sure[rows], right[rows], BINS), len(sure), of=of
    )


def labelled(task: str, set_: str, results: Iterable[Annotation], gold: Sequence[str]) -> Measured:
    """Calibration of annotations with a ``label`` and its ``score``."""
    results = list(results)
    correct = [result["label"] == label for result, label in zip(results, gold, strict=True)]
    return calibration(task, set_, [result["score"] for result in results], correct)
