"""Drift: what it costs per event to count annotations, and per minute to compare them.

python -m benchmarks.drift
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import report
from schemas.document import Document
from workers.drift.reference import Recorder
from workers.drift.tally import Kind
from workers.drift.watch import Drift

RNG = random.Random(0)
BATCH = 64
LABELS = ("toxicity", "insult", "threat", "hate", "sexual", "violence", "profanity")


def moderation() -> dict[str, Any]:
    labels = [{"label": label, "score": RNG.random() ** 6, "flagged": False} for label in LABELS]
    return {"flagged": False, "labels": labels}


def classification() -> dict[str, Any]:
    return {"label": RNG.choice(LABELS), "score": RNG.random(), "scores": {}}


def spans() -> dict[str, Any]:
    drawn = [{"start": 0, "end": 1, "label": RNG.choice(LABELS), "score": RNG.random()} for _ in range(3)]
    return {"spans": drawn}


CASES: dict[str, tuple[Kind, Callable[[], dict[str, Any]]]] = {
    "a label of seven": ("classification", classification),
    "a moderation of seven labels": ("moderation", moderation),
    "three spans": ("spans", spans),
}


def microseconds(kind: Kind, annotation: Callable[[], dict[str, Any]], rounds: int) -> tuple[float, float]:
    """Return the least time that an event takes, and that of a comparison."""
    documents = [Document(None, "") for _ in range(BATCH)]
    recorder = Recorder(kind)
    for document in documents:
        document.annotations["task"] = annotation()
        recorder.see("task", document)
    reference = recorder.reference()
    assert reference is not None
    drift = Drift({"task": reference}, {"task": {"model": "m", "revision": "0"}})
    return _least(lambda: drift.note(documents), rounds) / BATCH, _least(drift.report, 20)


def _least(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    arguments = parser.parse_args()
    figures = {}
    for name, (kind, annotation) in CASES.items():
        figures[name], figures[f"{name}, a comparison"] = microseconds(kind, annotation, arguments.rounds)
    report("drift", "Watching for drift, microseconds per event", figures)


if __name__ == "__main__":
    main()
