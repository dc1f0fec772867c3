"""The loop that everybody writes: confluent-kafka and a pipeline of transformers, ``--batch`` events at a time."""

from __future__ import annotations

import json

from confluent_kafka import Consumer, Producer

from .tasks import Annotator, arguments


def main() -> None:
    options = arguments()
    annotator = Annotator(options.tasks, options.batch)
    consumer = Consumer({
        "bootstrap.servers": options.servers, "group.id": options.group, "auto.offset.reset": "earliest",
    })  # fmt: skip
    producer = Producer({"bootstrap.servers": options.servers})
    consumer.subscribe([options.topic])
    while True:
        messages = [message for message in consumer.consume(options.batch, 0.1) if message.error() is None]
        if messages:
            events = [json.loads(message.value() or b"") for message in messages]
            for message, result in zip(messages, annotator.events(events), strict=True):
                producer.produce(options.out, json.dumps(result), message.key())
        producer.poll(0)


if __name__ == "__main__":
    main()
