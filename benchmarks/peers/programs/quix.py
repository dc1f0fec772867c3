"""Quix Streams: a function applied to each message of a streaming data frame.

https://quix.io/docs/quix-streams/processing.html
"""

from __future__ import annotations

from quixstreams import Application

from .tasks import Annotator, arguments


def main() -> None:
    options = arguments()
    annotator = Annotator(options.tasks)
    application = Application(
        broker_address=options.servers,
        consumer_group=options.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
    )
    frame = application.dataframe(application.topic(options.topic, value_deserializer="json"))
    frame.apply(annotator.event).to_topic(application.topic(options.out, value_serializer="json"))
    application.run()


if __name__ == "__main__":
    main()
