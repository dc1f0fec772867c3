"""End to end: tokens per second from Kafka to Kafka, as a share of the speed of the bare forwards.

Both run the same texts through the same chain on the same machine. The bare forwards get everything tokenized and
packed beforehand; the worker polls, decodes, tokenizes, computes, annotates, encodes, publishes and commits.

    python -m benchmarks.end_to_end --rounds 3
    python -m benchmarks.end_to_end --pipeline examples/starter.yaml --texts posts.jsonl.gz --events 20000 --rounds 1
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path

import orjson

from benchmarks.redirect import redirected
from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from workers.chain.chain import Chain
from workers.worker import Worker


def bare(chain: Chain, texts: list[str], batch: int) -> tuple[float, int]:
    """(seconds in forwards alone, tokens)."""
    seconds, tokens = 0.0, 0
    for first in range(0, len(texts), batch):
        documents = [Document(None, text) for text in texts[first : first + batch]]
        chain.prepare(documents)
        work = chain.pack(documents)
        started = time.perf_counter()
        chain.forward(work)
        seconds += time.perf_counter() - started
        tokens += sum(document.tokens for document in documents)
    return seconds, tokens


def through_kafka(chain: Chain, pipeline: Pipeline, kafka: Cluster, topic: str, events: int) -> tuple[float, int, int]:
    """(seconds from the first event polled to the last delivered, tokens, dead letters)."""
    settings = redirected(pipeline, kafka, topic, 6)
    worker = Worker(settings, chain)
    thread = threading.Thread(target=worker.run)
    thread.start()
    stats = worker.stats
    while not stats.polled and thread.is_alive():
        time.sleep(0.001)
    started = time.perf_counter()
    while (stats.enriched + stats.dead_letters < events or stats.in_flight) and thread.is_alive():
        time.sleep(0.01)
    seconds = time.perf_counter() - started
    worker.stop()
    thread.join()
    published = sum(end for written in settings.output.written for end in kafka.ends(written).values())
    if published != events:
        raise SystemExit(f"{events} events in, but {published} out")
    return seconds, stats.tokens, stats.dead_letters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="examples/starter.yaml")
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts = texts_from(arguments.texts, arguments.events)
    pipeline = load(arguments.pipeline)
    chain = Chain.load(pipeline)
    chain.warm_up()
    gc.freeze()
    rounds = []
    tokens = dead = 0
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.produce_all(topic, ((str(i).encode(), orjson.dumps({"text": text})) for i, text in enumerate(texts)))
        for _ in range(arguments.rounds):
            forwards, bare_tokens = bare(chain, texts, pipeline.batching.max_events)
            seconds, tokens, dead = through_kafka(chain, pipeline, kafka, topic, len(texts))
            rounds.append((bare_tokens / forwards, tokens / seconds, len(texts) / seconds))
    report("end_to_end", f"End to end, {len(texts)} events, {tokens} tokens, {dead} dead letters, {kafka.kind}", {
        "bare forwards, tokens/s": statistics.median(rate for rate, _, _ in rounds),
        "end to end, tokens/s": statistics.median(rate for _, rate, _ in rounds),
        "end to end, events/s": statistics.median(rate for _, _, rate in rounds),
        "end to end / bare (target 0.95)": statistics.median(whole / alone for alone, whole, _ in rounds),
    })  # fmt: skip


if __name__ == "__main__":
    main()
