"""FastStream on confluent-kafka: a subscriber and a publisher, one message or a batch at a time.

A plain ``def`` runs in a thread beside the event loop, as its documentation recommends for blocking work.
https://faststream.ag2.ai/latest/confluent/Subscriber/batch_subscriber/
"""

from __future__ import annotations

import asyncio
from typing import Any

from faststream import FastStream
from faststream.confluent import KafkaBroker

from .tasks import Annotator, arguments


def main() -> None:
    options = arguments()
    annotator = Annotator(options.tasks, options.batch)
    broker = KafkaBroker(options.servers)
    batch = options.batch > 1
    limits: dict[str, Any] = {"batch": True, "max_records": options.batch} if batch else {}
    subscriber: Any = broker.subscriber(options.topic, group_id=options.group, auto_offset_reset="earliest", **limits)
    publisher: Any = broker.publisher(options.out, batch=batch)

    if batch:

        @publisher
        @subscriber
        def annotate_batch(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return annotator.events(events)

    else:

        @publisher
        @subscriber
        def annotate(event: dict[str, Any]) -> dict[str, Any]:
            return annotator.event(event)

    asyncio.run(FastStream(broker).run())


if __name__ == "__main__":
    main()
