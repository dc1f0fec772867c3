"""Apache Beam: RunInference with a handler for the pipelines of transformers, ``--batch`` events at a time.

Beam's own handler for these pipelines imports TensorFlow, so this one is custom, as Beam's page about models describes.
Beam's Kafka connector is written in Java and needs a runner such as Flink, so a DoFn reads the topic with
confluent-kafka. It never finishes its bundle: only full batches come out.
https://beam.apache.org/documentation/ml/about-ml/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from confluent_kafka import Consumer, Producer

from .tasks import Annotator, Event, arguments


class Read(beam.DoFn):
    def __init__(self, servers: str, group: str, topic: str) -> None:
        self._servers, self._group, self._topic = servers, group, topic

    def process(self, _: Any) -> Iterator[Event]:
        consumer = Consumer({
            "bootstrap.servers": self._servers, "group.id": self._group, "auto.offset.reset": "earliest",
        })  # fmt: skip
        consumer.subscribe([self._topic])
        while True:
            message = consumer.poll(1.0)
            if message is not None and message.error() is None:
                yield json.loads(message.value() or b"")


class Handler(ModelHandler):
    def __init__(self, tasks: str, batch: int) -> None:
        super().__init__(min_batch_size=batch, max_batch_size=batch)
        self._tasks, self._batch = tasks, batch

    def load_model(self) -> Annotator:
        return Annotator(self._tasks, self._batch)

    def run_inference(self, batch: Sequence[Event], model: Annotator, inference_args: Any = None) -> list[Event]:
        return model.events(list(batch))


class Write(beam.DoFn):
    def __init__(self, servers: str, topic: str) -> None:
        self._servers, self._topic = servers, topic

    def setup(self) -> None:
        self._producer = Producer({"bootstrap.servers": self._servers})

    def process(self, result: Event) -> None:
        self._producer.produce(self._topic, json.dumps(result), result["event"]["id"])
        self._producer.poll(0)


def main() -> None:
    options = arguments()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = (
            pipeline
            | beam.Create([None])
            | beam.ParDo(Read(options.servers, options.group, options.topic))
            | RunInference(Handler(options.tasks, options.batch))
            | beam.ParDo(Write(options.servers, options.out))
        )


if __name__ == "__main__":
    main()
