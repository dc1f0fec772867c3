"""What planning a chain saves.

Compares four tasks on one trunk with each of them alone, all single-text tasks of the starter with one of them, and a
task with a condition with the same task without one. The chain runs as in a worker, from text to annotations, over
micro-batches of one size, without Kafka. All variants take turns in rounds, so that other load on the machine affects
all of them alike. Ratios are medians over the rounds, or ratios of sums if the events differ between rounds.

    python -m benchmarks.chain --texts posts.jsonl.gz --count 400
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from workers.chain.chain import Chain

TASKS: tuple[dict[str, Any], ...] = (
    {"name": "tone", "task": "sentiment", "model": "starter"},
    {"name": "entities", "task": "ner", "model": "starter"},
    {"name": "safety", "task": "moderation", "model": "starter"},
    {"name": "vector", "task": "embedding", "model": "starter"},
)
ALL: tuple[dict[str, Any], ...] = (
    *TASKS,
    {"name": "grammar", "task": "pos", "model": "starter"},
    {"name": "private", "task": "pii", "model": "starter"},
    {"name": "mentions", "task": "coreference", "model": "starter"},
    {"name": "tongue", "task": "language"},
)
LABELS: dict[str, Any] = {"name": "topic", "task": "zero-shot", "model": "starter", "labels": ["sport", "politics"]}
MICRO_BATCH = 64
"""Events per micro-batch."""
TENTH = 10
"""Of how many events one meets the condition."""


def chain(tasks: Sequence[dict[str, Any]], before: Chain | None = None) -> Chain:
    """``before``: the chain whose tuned trunk is shared, so that variants differ in nothing else."""
    pipeline: dict[str, Any] = {
        "pipeline": "benchmark", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": list(tasks), "output": {"topic": "out"},
    }  # fmt: skip
    made = Chain.load(Pipeline.model_validate(pipeline), before=before)
    made.warm_up()
    return made


def seconds(made: Chain, texts: Sequence[str], turn: int = 0) -> float:
    """``turn``: which tenth meets the condition; every tenth has its turn, because texts differ in length."""
    documents = [Document(None, text) for text in texts]
    for number, document in enumerate(documents, turn):
        document.fields = {"number": number}
    started = time.perf_counter()
    for first in range(0, len(documents), MICRO_BATCH):
        made.run(documents[first : first + MICRO_BATCH])
    spent = time.perf_counter() - started
    failed = sum(document.failure is not None for document in documents)
    if failed:
        raise SystemExit(f"{failed} documents failed")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="lines of JSON with a text field, maybe gzipped")
    parser.add_argument("--count", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=TENTH)
    options = parser.parse_args()
    texts = texts_from(options.texts, options.count)
    together = chain(TASKS)
    size = together.stages[0].trunk.forward_tokens
    condition = {"when": f"event.number % {TENTH} == 0"}
    ways = {
        "four tasks": together,
        "all tasks": chain(ALL, together),
        "all but coreference": chain([task for task in ALL if task["task"] != "coreference"], together),
        **{f"{task['task']} alone": chain([task], together) for task in TASKS},
        "sentiment for a tenth": chain([TASKS[0] | condition], together),
        "sentiment and zero-shot": chain([TASKS[0], LABELS], together),
        "sentiment and zero-shot for a tenth": chain([TASKS[0], LABELS | condition], together),
    }
    for made in ways.values():
        seconds(made, texts)
    gc.collect()
    gc.freeze()  # as the worker does
    rounds = [{way: seconds(made, texts, turn) for way, made in ways.items()} for turn in range(options.rounds)]
    gc.unfreeze()
    figures = {"texts": float(len(texts)), "tokens a forward": float(size)}
    figures |= {f"{way}, texts/s": len(texts) / statistics.median(times[way] for times in rounds) for way in ways}
    for task in TASKS:
        alone = f"{task['task']} alone"
        figures[f"four tasks / {alone}"] = statistics.median(times["four tasks"] / times[alone] for times in rounds)
    for way in ("four tasks", "all but coreference", "all tasks"):
        mean = [times[way] / statistics.mean(times[f"{task['task']} alone"] for task in TASKS) for times in rounds]
        figures[f"{way} / one"] = statistics.median(mean)
    tenth = sum(times["sentiment for a tenth"] for times in rounds) / sum(times["sentiment alone"] for times in rounds)
    figures["a tenth / all"] = tenth
    beside, every, some = (
        sum(times[way] for times in rounds)
        for way in ("sentiment alone", "sentiment and zero-shot", "sentiment and zero-shot for a tenth")
    )
    figures["a tenth / all, beside a task of the same trunk"] = (some - beside) / (every - beside)
    report(
        "chain", "Planned chain (targets: four tasks / one <= 1.15, all / one <= 1.2, a tenth / all <= 0.2)", figures
    )


if __name__ == "__main__":
    main()
