"""Forwards side by side: one worker that runs several at a time, against several workers of one thread each.

Each way is a process, or as many as it has workers, which keeps its models loaded. In rounds, the ways take turns to
annotate the same posts, so that other load on the machine affects all of them alike. The chain runs as in a worker, on
three threads, but without Kafka; the first micro-batch of a round is not counted. Ratios are medians over the rounds.
``--busy`` also runs loops that use a core each.

    python -m benchmarks.side_by_side --texts posts.jsonl.gz --count 1000 --busy 1
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.report import report
from benchmarks.texts import texts_from

if TYPE_CHECKING:  # importing torch takes seconds, and the parent does not compute
    from workers.chain.chain import Chain

TOKENS = 4096
"""Tokens of a micro-batch: a quarter of the default, so that a round has more of them."""
TASKS = (("tone", "sentiment"), ("entities", "ner"), ("safety", "moderation"))


class Annotator:
    """A process that annotates when it is told to, with ``forwards`` x ``threads``; 0: as it measures itself."""

    def __init__(self, forwards: int, threads: int, options: argparse.Namespace, cores: int) -> None:
        command = [
            sys.executable,
            "-m",
            "benchmarks.side_by_side",
            "--as",
            f"{forwards}x{threads}",
            "--cores",
            str(cores),
        ]
        command += ["--texts", str(options.texts)] if options.texts else []
        command += ["--forward-tokens", str(options.forward_tokens)] if options.forward_tokens else []
        environment = {**os.environ, "OMP_NUM_THREADS": str(cores)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        self.ready = self._line()

    def begin(self, count: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")

    def end(self) -> tuple[float, float, float]:
        """Posts finished after the first micro-batch, and the seconds of time and of processor time in which."""
        posts, seconds, spent = map(float, self._line().split())
        return posts, seconds, spent

    def memory(self) -> float:
        return psutil.Process(self._process.pid).memory_full_info().uss / 2**20

    def _line(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise SystemExit("a process has ended")
        return line.strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def loops(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def serve(options: argparse.Namespace) -> None:
    """Load the models and annotate what the lines on standard input say."""
    from workers.process.environment import prepare_process

    prepare_process()
    import torch

    from schemas.pipeline.config import Pipeline
    from workers.chain.chain import Chain
    from workers.encoder.pool import Pool

    forwards, threads = map(int, options.way.split("x"))
    compute: dict[str, Any] = {"threads": options.cores, "device": "cpu"}
    pipeline = Pipeline.model_validate({
        "pipeline": "benchmark", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": name, "task": task, "model": "starter"} for name, task in TASKS], "output": {"topic": "out"},
        "compute": compute | ({"forward_tokens": options.forward_tokens} if options.forward_tokens else {}),
    })  # fmt: skip
    chain = Chain.load(pipeline)
    chain.warm_up()
    trunk = chain.stages[0].trunk
    if forwards == 1:
        trunk.pool = None
        torch.set_num_threads(threads)
    elif forwards:
        torch.set_num_threads(options.cores)
        trunk.pool = Pool(forwards, threads)
    pool = trunk.pool
    way = f"{pool.forwards} x {pool.threads}" if pool else f"1 x {torch.get_num_threads()}"
    print(f"{way}, forwards of {trunk.forward_tokens} tokens", flush=True)
    texts = texts_from(options.texts, 10_000)
    for line in sys.stdin:
        print(*_annotate(chain, texts, int(line)), flush=True)


def _annotate(chain: Chain, texts: Sequence[str], count: int) -> tuple[int, float, float]:
    """Annotate ``count`` of ``texts``, on three threads as a worker does.

    Returns how many were finished after the first micro-batch, and the seconds of time and of processor time in which.
    """
    from schemas.document import Document
    from workers.process.lanes import Channel

    packed: Channel[Any] = Channel(2)
    computed: Channel[Any] = Channel(2)
    finished: list[tuple[float, float, int]] = []

    def prepare() -> None:
        batch: list[Document] = []
        for at in range(0, count, 100):  # as many as a poll brings
            arrived = [Document(None, texts[n % len(texts)]) for n in range(at, min(at + 100, count))]
            chain.prepare(arrived)
            batch += arrived
            if sum(document.tokens for document in batch) > TOKENS:
                packed.put(chain.pack(batch))
                batch = []
        packed.close()

    def finish() -> None:
        for work in computed:
            chain.annotate(work)
            if any(document.failure for document in work.documents):
                raise SystemExit("a document has failed")
            finished.append((time.perf_counter(), time.process_time(), len(work.documents)))

    others = [threading.Thread(target=prepare), threading.Thread(target=finish)]
    for other in others:
        other.start()
    for work in packed:
        chain.forward(work)
        computed.put(work)
    computed.close()
    for other in others:
        other.join()
    (began, spent_before, _), *rest = finished
    ended, spent, _ = rest[-1]
    return sum(events for _, _, events in rest), ended - began, spent - spent_before


def annotate(workers: Sequence[Annotator], count: int) -> tuple[float, float]:
    """Share ``count`` posts among ``workers``; return posts/s, and seconds of processor time a post."""
    for worker in workers:
        worker.begin(count // len(workers))
    ends = [worker.end() for worker in workers]
    return sum(posts / seconds for posts, seconds, _ in ends), sum(end[2] for end in ends) / sum(end[0] for end in ends)


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="lines of JSON with a text field, maybe gzipped")
    parser.add_argument("--count", type=int, default=1600, help="posts a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=0, help="cores that are kept busy")
    parser.add_argument("--pairs", action="store_true", help="two workers that know nothing of each other")
    parser.add_argument("--cores", type=int, default=cores)
    parser.add_argument("--forward-tokens", type=int, help="tokens of a forward; default: measured")
    parser.add_argument("--as", dest="way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        serve(options)
        return
    n, count = options.cores, 2 if options.pairs else 1
    ways = {
        f"1 x {n}": [(1, n, n)] * count,
        f"{n} x 1": [(n, 1, n)] * count,
        "as measured": [(0, 0, n)] * count,
        f"{n} workers of 1 thread": [(1, 1, 1)] * n,
    }
    with ExitStack() as stack:
        running = {}
        for way, shapes in ways.items():
            running[way] = [Annotator(forwards, threads, options, most) for forwards, threads, most in shapes]
            for worker in running[way]:
                stack.callback(worker.close)
            print(f"{way}: {'; '.join(worker.ready for worker in running[way])}", flush=True)
        stack.enter_context(loops(options.busy))
        rounds = [
            {way: annotate(workers, options.count) for way, workers in running.items()} for _ in range(options.rounds)
        ]
        memory = {way: sum(worker.memory() for worker in workers) for way, workers in running.items()}
    figures: dict[str, float] = {"cores": n, "kept busy": options.busy, "posts a round": options.count}
    *_, last = ways
    for way in ways:
        figures[f"{way}: posts/s"] = statistics.median(times[way][0] for times in rounds)
        figures[f"{way}: ms of processor time a post"] = 1000 * statistics.median(times[way][1] for times in rounds)
        figures[f"{way}: MiB"] = memory[way]
        if way != last:
            ratios = sorted(times[way][0] / times[last][0] for times in rounds)
            figures[f"{way} / {last}"] = statistics.median(ratios)
            figures[f"{way} / {last}, lowest"], figures[f"{way} / {last}, highest"] = ratios[0], ratios[-1]
    name = f"side_by_side{'-pairs' if options.pairs else ''}{f'-busy-{options.busy}' if options.busy else ''}"
    report(name, "Forwards side by side (target: >= 0.97 of as many workers)", figures)


if __name__ == "__main__":
    main()
