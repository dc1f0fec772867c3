"""sentence-transformers: one vector for each text, up to ``--batch`` events at a time; ``encode`` sorts by length.

https://sbert.net/docs/package_reference/sentence_transformer/SentenceTransformer.html
"""

from __future__ import annotations

import json

from confluent_kafka import Consumer, Producer
from sentence_transformers import SentenceTransformer

from .tasks import arguments, entries, output


def main() -> None:
    options = arguments()
    (entry,) = entries(options.tasks)
    model = SentenceTransformer(entry["model"], device="cpu")
    consumer = Consumer({
        "bootstrap.servers": options.servers, "group.id": options.group, "auto.offset.reset": "earliest",
    })  # fmt: skip
    producer = Producer({"bootstrap.servers": options.servers})
    consumer.subscribe([options.topic])
    while True:
        messages = [message for message in consumer.consume(options.batch, 0.1) if message.error() is None]
        if messages:
            events = [json.loads(message.value() or b"") for message in messages]
            vectors = model.encode([event["text"] for event in events], normalize_embeddings=True)
            for message, event, vector in zip(messages, events, vectors, strict=True):
                result = output(event, {entry["name"]: {"vector": vector.tolist()}})
                producer.produce(options.out, json.dumps(result), message.key())
        producer.poll(0)


if __name__ == "__main__":
    main()
