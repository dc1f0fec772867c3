"""Finds topics that appear while a worker runs and match a pattern of ``input.topics``."""

from __future__ import annotations

import logging
import threading
from collections import deque

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import BrokerError
from schemas.pipeline.topics import InputTopics
from stream.kafka.settings import Settings, make_admin

log = logging.getLogger("glossator.source")

_INTERVAL_MS = 30_000
"""Milliseconds between two looks, unless ``topic.metadata.refresh.interval.ms`` is set."""
_CALL = 10.0
"""Seconds one look may take."""


class Discovery:
    """Looks for topics on a thread of its own, so that the poll thread never waits for an answer.

    A topic that was found stays, also if it is deleted: otherwise an answer that lacks it by mistake would make the
    whole group move its partitions. A look that fails is repeated at the time of the next one.
    """

    def __init__(self, settings: Settings, topics: InputTopics) -> None:
        """Begin to look; ``settings`` are those of the Kafka client."""
        self._topics = topics
        self._found: deque[list[str]] = deque(maxlen=1)
        self._known: set[str] = set()
        self._over = threading.Event()
        interval_ms = float(settings.get("topic.metadata.refresh.interval.ms", _INTERVAL_MS))
        self._interval = None if interval_ms < 0 else max(interval_ms / 1000, 0.1)
        self._settings = settings
        self._thread = threading.Thread(target=self._run, name="topics", daemon=True)
        self._thread.start()

    def take(self) -> list[str] | None:
        """Return all topics to read if there are new ones since the last call, otherwise None. Does not block."""
        return self._found.pop() if self._found else None

    def close(self) -> None:
        """Stop looking. Does not wait for the answer to the last look."""
        self._over.set()

    def _run(self) -> None:
        admin = None
        while not self._over.is_set():
            try:
                admin = admin or make_admin(self._settings)
                self._look(admin)
            except (KafkaException, BrokerError) as error:
                log.debug("looking for topics failed: %s", error)
            if self._interval is None and self._known:
                return
            self._over.wait(self._interval or 1.0)

    def _look(self, admin: AdminClient) -> None:
        topics = self._topics.expanded(admin.list_topics(timeout=_CALL).topics)
        new = [topic for topic in topics if topic not in self._known]
        if not new:
            return
        if self._known:
            log.info("found %s, which input.topics matches", ", ".join(new))
        self._known.update(new)
        self._found.append(self._topics.expanded(self._known))
