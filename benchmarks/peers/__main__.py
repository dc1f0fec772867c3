"""Measure glossator and its peers. What was measured is kept, so a run that was stopped resumes where it was.

python -m benchmarks.peers throughput --texts posts.jsonl.gz --budget 140
python -m benchmarks.peers latency
python -m benchmarks.peers scale --events 4000 --most 100000
python -m benchmarks.peers show --markdown
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from transformers import AutoTokenizer

from benchmarks.peers import checkpoints, latency, scale, tables, throughput
from benchmarks.peers.candidates import PEERS
from benchmarks.peers.cases import cases
from benchmarks.peers.figures import PRICE
from benchmarks.peers.rows import Rows
from benchmarks.peers.running import CandidateError
from benchmarks.report import RESULTS
from benchmarks.texts import texts_from
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster

PARTS = (throughput.PART, latency.PART, scale.PART)


class Step(Protocol):
    """Measures something and saves its rows."""

    def __call__(self, rows: Rows, kafka: Cluster) -> object: ...


Steps = Iterator[tuple[tuple[Any, ...], Step]]
"""The key of the last row that a step saves, and the step."""


def events_of(texts: list[str]) -> list[dict[str, Any]]:
    return [{"id": f"e{n}", "text": text} for n, text in enumerate(texts)]


def tokens_of(texts: list[str]) -> list[int]:
    tokenizer = AutoTokenizer.from_pretrained(checkpoints.TRUNK)
    return [len(ids) for ids in tokenizer(texts, truncation=True)["input_ids"]]


def throughput_steps(options: argparse.Namespace) -> Steps:
    texts = texts_from(options.texts, options.events or 400)
    workload = throughput.Workload(events_of(texts), tokens_of(texts), options.rounds, options.seconds)
    for group, other in throughput.duels(options.int8):
        yield (
            (throughput.PART, group, other.name),
            partial(throughput.measure, group=group, other=other, workload=workload, threads=options.threads),
        )


def latency_steps(options: argparse.Namespace) -> Steps:
    events = events_of(texts_from(options.texts, options.events or 400))
    for candidate, linger in latency.candidates():
        yield (latency.PART, candidate.name, linger, latency.LOADS[-1]), partial(
            latency.measure, candidate=candidate, linger=linger, events=events,
            seconds=options.seconds, threads=options.threads,
        )  # fmt: skip


def scale_steps(options: argparse.Namespace) -> Steps:
    every = list(cases(options.events or 4000, options.most))
    texts = texts_from(options.texts, max(case.events for case in every))
    for case in every:
        yield (
            (scale.PART, case.of, case.value),
            partial(scale.measure, case=case, texts=texts, threads=options.threads, price=options.price),
        )


STEPS = {throughput.PART: throughput_steps, latency.PART: latency_steps, scale.PART: scale_steps}


def work(rows: Rows, parts: list[str], options: argparse.Namespace) -> bool:
    """Take the steps that are missing; return whether all are done.

    With a budget no step is begun that would exceed it, if it took as long as the longest so far.
    """
    console, began, longest = Console(), time.monotonic(), 0.0
    steps = [step for part in parts for step in STEPS[part](options)]
    missing = [step for step in steps if options.again or step[0] not in rows]
    if options.only:
        missing = [step for step in missing if options.only in " ".join(map(str, step[0]))]
    if not missing:
        return True
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        if not kafka.real:
            raise SystemExit(f"needs a real Kafka, because the embedded broker is not what users have: {kafka.kind}")
        for number, (key, step) in enumerate(missing):
            started = time.monotonic()
            if options.budget and number and started - began + longest > options.budget:
                console.print(f"{len(missing) - number} steps are left: run the same command again", style="bold")
                return False
            console.print(f"[{started - began:4.0f} s] {', '.join(map(str, key))}", markup=False)
            try:
                step(rows, kafka)
            except CandidateError as error:
                console.print(f"failed: {error}", markup=False, style="red")
            longest = max(longest, time.monotonic() - started)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=(*PARTS, "all", "show"))
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, help="default: 400, and 4000 for scale")
    parser.add_argument("--most", type=int, default=100_000, help="scale: the largest number of events; up to 1000000")
    parser.add_argument("--rounds", type=int, default=3, help="throughput: turns of each candidate in a duel")
    parser.add_argument("--seconds", type=float, default=15.0, help="of a slow peer's turn, or of a load")
    parser.add_argument("--threads", type=int, help="OpenMP threads of all candidates; default: what torch chooses")
    parser.add_argument("--int8", action="store_true", help="also compute.dtype int8")
    parser.add_argument("--only", help="only steps whose name contains this, such as 'four loop'")
    parser.add_argument("--again", action="store_true", help="measure again what was measured")
    parser.add_argument("--budget", type=float, help="seconds after which no step is begun")
    parser.add_argument("--price", type=float, default=PRICE, help="US dollars an hour for the machine")
    parser.add_argument("--results", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # ends what was started, too
    rows = Rows(options.results)
    if options.part != "show":
        if not PEERS.exists():
            raise SystemExit("the peers are not installed: make peers")
        work(rows, list(PARTS) if options.part == "all" else [options.part], options)
    if options.markdown:
        print(tables.markdown(rows, options.price))
    else:
        tables.show(rows, options.price)


if __name__ == "__main__":
    main()
