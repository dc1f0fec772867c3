"""The host path by format: events through a worker that computes nothing, compared with JSON in and JSON out.

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro

from benchmarks.host_path import TEXT, fill, worker
from benchmarks.report import report
from stream.codecs.protobuf_schema import ProtobufSchema
from stream.output.formats.protobuf_writer import ProtobufWriter
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.registry import fake_registry, framed

SCHEMA = {
    "type": "record",
    "name": "Post",
    "fields": [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}],
}
PROTO = 'syntax = "proto3"; message Post { int64 id = 1; string text = 2; }'
PROTOBUF: dict[str, Any] = {"format": {"protobuf": {"auto_register": True}}}
AVRO: dict[str, Any] = {"format": {"avro": {"auto_register": True}}}
PARSED, WRITER = fastavro.parse_schema(dict(SCHEMA)), ProtobufWriter(ProtobufSchema.parse(PROTO).named("Post"))
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "json -> json": ("json", {}),
    "avro -> json": ("avro", {}),
    "json -> avro": ("json", AVRO),
    "avro -> avro": ("avro", AVRO),
    "protobuf -> json": ("protobuf", {}),
    "json -> protobuf": ("json", PROTOBUF),
    "protobuf -> protobuf": ("protobuf", PROTOBUF),
    "json -> cloudevents": ("json", {"format": "cloudevents"}),
}


def in_avro(number: int) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, PARSED, {"id": number, "text": TEXT.format(number)})
    return stream.getvalue()


def in_protobuf(number: int) -> bytes:
    return b"\0" + WRITER.write({"id": number, "text": TEXT.format(number)})


def fill_framed(kafka: Cluster, schema: int, events: int, encode: Callable[[int], bytes]) -> str:
    topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
    kafka.produce_all(
        topic, ((str(i % 1000).encode(), framed(schema, encode(i))) for i in range(events)),
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
        proto = registry.add("proto-value", PROTO, "PROTOBUF")
        topics = {
            "json": fill(kafka, arguments.events),
            "avro": fill_framed(kafka, schema, arguments.events, in_avro),
            "protobuf": fill_framed(kafka, proto, arguments.events, in_protobuf),
        }
        rates: dict[str, list[float]] = {name: [] for name in FORMATS}
        for _ in range(arguments.rounds):
            for name, (form, output) in FORMATS.items():
                out = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
                kafka.create_topic(f"{out}.dead", 6)
                has_schema = form != "json" or output in (AVRO, PROTOBUF)
                needs: dict[str, Any] = {"registry": {"url": registry.url}} if has_schema else {}
                run = worker(
                    kafka, topics[form], out, arguments.events, source={"format": form}, output=output, **needs
                )
                rates[name].append(run.rate)
    json_rate = statistics.median(rates["json -> json"])
    rows = {f"{name}, events/s": statistics.median(rates[name]) for name in FORMATS}
    rows["avro -> json / json -> json (target 0.6)"] = rows["avro -> json, events/s"] / json_rate
    rows["protobuf -> json / json -> json"] = rows["protobuf -> json, events/s"] / json_rate
    report("formats", f"Host path by format, {arguments.events} events, {kafka.kind}", rows)


if __name__ == "__main__":
    main()
