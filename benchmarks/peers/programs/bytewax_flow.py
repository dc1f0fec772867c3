"""Bytewax: a dataflow from Kafka to Kafka. ``flat_map_batch`` gets what the source has read at once.

https://docs.bytewax.io/stable/guide/getting-started/performance-guide.html
"""

from __future__ import annotations

import json
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from .tasks import Annotator, arguments


def main() -> None:
    options = arguments()
    annotator = Annotator(options.tasks, options.batch)

    def annotate(messages: list[Any]) -> list[KafkaSinkMessage[Any, Any]]:
        results = annotator.events([json.loads(message.value) for message in messages])
        return [
            KafkaSinkMessage(message.key, json.dumps(result).encode())
            for message, result in zip(messages, results, strict=True)
        ]

    flow = Dataflow("annotate")
    source = kop.input(
        "in", flow, brokers=[options.servers], topics=[options.topic], batch_size=options.batch,
    )  # fmt: skip
    kop.output("out", op.flat_map_batch("annotate", source.oks, annotate), brokers=[options.servers], topic=options.out)
    cli_main(flow)


if __name__ == "__main__":
    main()
