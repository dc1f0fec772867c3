"""What a cascade costs and gains: a cheap moderation for every text, and a careful one for those in doubt.

Measures each alone, the cascade with several widths of doubt, and the mean and the highest score of both: quality on
labelled texts, the share of texts that the careful model reads, and the processor time against the cheap model alone
(other load on the machine changes it less than the time on the clock). Each chain also has the starter's sentiment,
whose forward the cheap head shares if it is on the starter's trunk.

    glossator train labels.jsonl --task moderation --out models/quick
    glossator train labels.jsonl --task moderation --adapt --out models/careful
    python -m benchmarks.cascade test.jsonl --quick models/quick --careful models/careful
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import report
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from workers.chain.chain import Chain
from workers.learning.loading import Sources, load_examples
from workers.learning.metrics import measure

DOUBTS = ((0.3, 0.7), (0.1, 0.9), (0.02, 0.98))
"""Between which scores the cheap model is in doubt."""
MICRO_BATCH = 64
"""Texts per micro-batch."""
ROUNDS = 3
TIMED = 256
"""Texts of which the time is measured; quality is that of all."""


def variants(quick: str, careful: str) -> dict[str, list[dict[str, Any]]]:
    """Return the tasks of each variant; the judgement is the one named ``verdict``."""
    tone = {"name": "tone", "task": "sentiment", "model": "starter"}

    def moderation(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "task": "moderation", "taxonomy": "model", **more}

    def together(rule: str, **more: Any) -> list[dict[str, Any]]:
        ensemble = {"name": "verdict", "task": "moderation", "ensemble": {"of": ["quick", "careful"], "rule": rule}}
        return [tone, moderation("quick", model=quick), moderation("careful", model=careful, **more), ensemble]

    doubts = {
        f"cascade {low:g} to {high:g}": together(
            "last", when=f"quick.labels.exists(l, l.score > {low} && l.score < {high})"
        )
        for low, high in DOUBTS
    }
    return {
        "quick": [tone, moderation("verdict", model=quick)],
        "careful": [tone, moderation("verdict", model=careful)],
        **doubts,
        "mean": together("mean"),
        "max": together("max"),
    }


def chain(tasks: list[dict[str, Any]], before: Chain | None) -> Chain:
    pipeline: dict[str, Any] = {
        "pipeline": "benchmark", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": tasks, "output": {"topic": "out"},
    }  # fmt: skip
    made = Chain.load(Pipeline.model_validate(pipeline), before=before)
    made.warm_up()
    return made


def annotated(made: Chain, texts: Sequence[str]) -> tuple[list[Document], float]:
    """Return the documents and the seconds of all cores that they took."""
    documents = [Document(None, text) for text in texts]
    began = time.process_time()
    for start in range(0, len(documents), MICRO_BATCH):
        made.run(documents[start : start + MICRO_BATCH])
    return documents, time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="labelled texts, as for glossator train --task moderation")
    parser.add_argument("--quick", required=True)
    parser.add_argument("--count", type=int, default=1000, help="the most texts to read")
    parser.add_argument("--careful", required=True)
    options = parser.parse_args()
    labelled = load_examples(Sources(options.labels), "moderation")
    examples = labelled.examples[: options.count]
    texts = [example.text for example in examples]
    chains: dict[str, Chain] = {}
    for name, tasks in variants(options.quick, options.careful).items():
        chains[name] = chain(tasks, next(iter(chains.values()), None))
    figures: dict[str, float] = {"texts": float(len(texts))}
    for name, made in chains.items():
        documents, _ = annotated(made, texts)
        annotations = [document.annotations["verdict"] for document in documents]
        for metric in measure("moderation", labelled.labels, examples, annotations):
            if metric.name.startswith(("macro F1", "AUROC")):
                figures[f"{name}: {metric.name}"] = metric.value
                figures[f"{name}: {metric.name}, low"] = metric.low
                figures[f"{name}: {metric.name}, high"] = metric.high
        read = sum("careful" in document.annotations for document in documents) / len(documents)
        figures[f"{name}: read by careful"] = 1.0 if name == "careful" else read
    took: dict[str, list[float]] = {name: [] for name in chains}
    for _ in range(ROUNDS):
        for name, made in chains.items():
            took[name].append(annotated(made, texts[:TIMED])[1])
    for name, times in took.items():
        ratios = [mine / quick for mine, quick in zip(times, took["quick"], strict=True)]
        figures[f"{name}: processor time against quick"] = statistics.median(ratios)
        figures[f"{name}: milliseconds a text"] = 1000 * statistics.median(times) / min(TIMED, len(texts))
    report("cascade", "a cheap moderation for every text, a careful one for those in doubt", figures)


if __name__ == "__main__":
    main()
