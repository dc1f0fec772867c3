"""What a shadow costs: a chain with and without one on the trunk of its task, interleaved.

Texts go the way of a worker without Kafka, from text to the records to send: tokenised, computed, annotated, compared,
and built. The shadow has a head of its own, with other weights than its task, so that nothing is shared but the trunk.
Both ways take turns micro-batch by micro-batch, so that other load on the machine affects both; the ratios are medians
over the rounds. ``CPU`` is processor time of the process, which depends less on other load than wall time.

    python -m benchmarks.shadow --count 256 --rounds 8
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from workers.chain.chain import Chain
from workers.models.packs import FORMAT, MANIFEST, STARTER_FOLDER
from workers.process.engine import Engine
from workers.process.environment import prepare_process

TASKS: tuple[dict[str, Any], ...] = (
    {"name": "safety", "task": "moderation", "model": "starter"},
    {"name": "tone", "task": "sentiment", "model": "starter"},
    {"name": "entities", "task": "ner", "model": "starter"},
    {"name": "vector", "task": "embedding", "model": "starter"},
)
MICRO_BATCH = 64
"""Events per micro-batch."""


def another_head(folder: Path) -> str:
    """Write a pack with a moderation head for the starter's trunk, whose weights differ a little; return its name."""
    manifest = json.loads((STARTER_FOLDER / MANIFEST).read_bytes())
    entry = manifest["heads"]["moderation"]
    tensors = load_file(STARTER_FOLDER / entry["file"])
    generator = torch.Generator().manual_seed(7)
    changed = {
        name: tensor + 0.05 * torch.randn(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    data = save(changed)
    (folder / "head.safetensors").write_bytes(data)
    entry = {**entry, "file": "head.safetensors", "sha256": hashlib.sha256(data).hexdigest()}
    trunk = {"starter": manifest["trunk"]["adapter"]["sha256"], "max_tokens": manifest["trunk"]["max_tokens"]}
    written = {"format": FORMAT, "trunk": trunk, "heads": {"moderation": entry}}
    (folder / MANIFEST).write_text(json.dumps(written))
    return str(folder)


class Way:
    """One pipeline, with what takes texts through it."""

    def __init__(self, tasks: Sequence[dict[str, Any]], before: Chain | None) -> None:
        """``before``: the chain whose tuned trunk is shared, so that ways differ in nothing else."""
        pipeline = Pipeline.model_validate({
            "pipeline": "benchmark", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
            "tasks": list(tasks), "output": {"topic": "out", "disagreements": "odd"},
        })  # fmt: skip
        self.chain = Chain.load(pipeline, before=before)
        self.chain.warm_up()
        self.stats = Stats()
        self._engine, self._publisher = Engine(pipeline, self.chain), Publisher(pipeline, self.stats)

    def run(self, texts: Sequence[str]) -> tuple[float, float]:
        """Take ``texts`` through as one micro-batch; return seconds of wall time and of processor time."""
        at, engine = Assignment("in", 0), self._engine
        values = [json.dumps({"text": text}).encode() for text in texts]
        records = [Record(at, number, b"k", value, None, 5) for number, value in enumerate(values)]
        wall, cpu = time.perf_counter(), time.process_time()
        documents: list[Document] = [engine.codec.decode(record) for record in records]
        engine.chain.run(documents)
        batch = MicroBatch(0, documents, tokens=1)
        outbounds = self._publisher.outbounds(batch, engine.builder, engine.router, engine.shadows)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        if len(outbounds) < len(texts) or self.stats.dead_letters:
            raise SystemExit("some events were not published")
        return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="lines of JSON with a text field, maybe gzipped")
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    prepare_process()
    texts = texts_from(options.texts, options.count)
    batches = [texts[first : first + MICRO_BATCH] for first in range(0, len(texts), MICRO_BATCH)]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        shadow = {"name": "next", "task": "moderation", "model": another_head(Path(folder)), "shadow": "safety"}
        first = Way(TASKS[:1], None)
        ways = {
            "one task": first, "one task, shadowed": Way([*TASKS[:1], shadow], first.chain),
            "four tasks": Way(TASKS, first.chain), "four tasks, one shadowed": Way([*TASKS, shadow], first.chain),
        }  # fmt: skip
    pairs = (("one task", "one task, shadowed"), ("four tasks", "four tasks, one shadowed"))
    for way in ways.values():
        for batch in batches:
            way.run(batch)
    gc.collect()
    gc.freeze()  # as the worker does
    figures = {"texts": float(len(texts)), "load of the machine before": load}
    for plain, shadowed in pairs:
        ratios: list[tuple[float, float]] = []
        for turn in range(options.rounds):
            spent = {plain: [0.0, 0.0], shadowed: [0.0, 0.0]}
            for number, batch in enumerate(batches):
                order = (plain, shadowed) if (turn + number) % 2 else (shadowed, plain)
                for name in order:
                    for index, seconds in enumerate(ways[name].run(batch)):
                        spent[name][index] += seconds
            ratios.append((spent[shadowed][0] / spent[plain][0], spent[shadowed][1] / spent[plain][1]))
        for index, clock in enumerate(("wall", "CPU")):
            figures[f"{shadowed} / {plain}, {clock}"] = statistics.median(ratio[index] for ratio in ratios)
    gc.unfreeze()
    events = ways["one task, shadowed"].stats.shadow_events
    compared = {outcome: count for (_, _, outcome), count in events.items()}
    figures["share of disagreements"] = compared.get("disagree", 0) / sum(compared.values())
    report("shadow", "A shadow on the trunk of its task (target <= 1.05)", figures)


if __name__ == "__main__":
    main()
