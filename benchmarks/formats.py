"""The host path by format: events through a worker that computes nothing, beside JSON in and JSON out.

Events and the enriched ones are the same; only how they are encoded differs. The Schema Registry is in this process,
and is asked once for each schema.

    python -m benchmarks.formats --events 100000 --rounds 3
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import statistics
import tempfile
import uuid
from pathlib import Path
from typing import Any

import fastavro

from benchmarks.host_path import TEXT, fill, worker
from benchmarks.report import report
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.registry import fake_registry, framed

SCHEMA = {
    "type": "record",
    "name": "Post",
    "fields": [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}],
}
AVRO: dict[str, Any] = {"format": {"avro": {"auto_register": True}}}
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "json -> json": ("json", {}),
    "avro -> json": ("avro", {}),
    "json -> avro": ("json", AVRO),
    "avro -> avro": ("avro", AVRO),
    "json -> cloudevents": ("json", {"format": "cloudevents"}),
}


def fill_avro(kafka: Cluster, schema: int, events: int) -> str:
    topic, parsed = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6), fastavro.parse_schema(dict(SCHEMA))

    def value(number: int) -> bytes:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed, {"id": number, "text": TEXT.format(number)})
        return framed(schema, stream.getvalue())

    kafka.produce_all(
        topic, ((str(i % 1000).encode(), value(i)) for i in range(events)),
        **{"linger.ms": 20, "batch.num.messages": 10000},
    )  # fmt: skip
    return topic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka, fake_registry() as registry:
        schema = registry.add("posts-value", json.loads(json.dumps(SCHEMA)))
        topics = {"json": fill(kafka, arguments.events), "avro": fill_avro(kafka, schema, arguments.events)}
        rates: dict[str, list[float]] = {name: [] for name in FORMATS}
        for _ in range(arguments.rounds):
            for name, (form, output) in FORMATS.items():
                out = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
                kafka.create_topic(f"{out}.dead", 6)
                needs: dict[str, Any] = {"registry": {"url": registry.url}} if form == "avro" or output is AVRO else {}
                rate, _ = worker(
                    kafka, topics[form], out, arguments.events, source={"format": form}, output=output, **needs
                )
                rates[name].append(rate)
    json_rate = statistics.median(rates["json -> json"])
    rows = {f"{name}, events/s": statistics.median(rates[name]) for name in FORMATS}
    rows["avro -> json / json -> json (target 0.6)"] = rows["avro -> json, events/s"] / json_rate
    report("formats", f"Host path by format, {arguments.events} events, {kafka.kind}", rows)


if __name__ == "__main__":
    main()
