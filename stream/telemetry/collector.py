"""Sends spans to a collector, by OTLP over HTTP, without ever holding up who makes them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer

from schemas.errors import SettingError
from schemas.pipeline.traces import Traces as Settings
from stream.telemetry.build import version
from stream.telemetry.stats import Stats

log = logging.getLogger("glossator.traces")

QUEUE = 2048
"""The most spans that wait to be sent."""
_AT_ONCE = 256
_EVERY_MS = 1000
"""Spans are sent when there are 256 of them, and every second."""
_TIMEOUT = 5.0
"""Seconds that sending them may take, with all attempts."""
_CLOSE = 2.0
"""Seconds that the last ones may take."""


class Collector:
    """The connection to a collector. ``tracer`` makes spans, which are sent after their end by a thread of its own.

    While the collector is away, spans wait in a queue with room for 2,048. What does not fit, and what could not be
    sent within five seconds, is dropped. ``stats.spans`` counts all of them, and the log says once what is wrong.
    """

    def __init__(self, pipeline: str, settings: Settings, stats: Stats, slot: int) -> None:
        """``pipeline`` (its name) and ``slot`` identify the worker in all spans.

        Raises SettingError if OpenTelemetry refuses a variable of the environment that it reads.
        """
        # Their messages may quote addresses and answers, and repeat for each attempt; ours come from _Counting.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        try:
            exporter = OTLPSpanExporter(settings.url, headers=settings.headers, timeout=_TIMEOUT)
            resource = Resource.create(
                {
                    "service.name": pipeline,
                    "service.namespace": "glossator",
                    "service.instance.id": f"{pipeline}-{slot}",
                    "service.version": version(),
                }
            )
            self._provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
            self._queue = _Queue(_Counting(exporter, stats), stats)
        except Exception as error:
            reason = f"OpenTelemetry refuses its environment variables (OTEL_...): {type(error).__name__}"
            raise SettingError(reason) from None
        self._provider.add_span_processor(self._queue)
        self.tracer: Tracer = self._provider.get_tracer("glossator", version())

    def close(self) -> None:
        """Send what is left, for up to two seconds, and log how much could not be sent."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE)
        if left := self._queue.waiting:
            log.warning("%d spans could not be sent to the collector before the end", left)


class _Counting(SpanExporter):
    """Counts what ``exporter`` does, and logs when it begins to fail and when it has recovered."""

    def __init__(self, exporter: SpanExporter, stats: Stats) -> None:
        self._exporter, self._stats = exporter, stats
        self._failing = False
        self.done = 0
        """Spans sent or given up."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send ``spans``; called by the thread of the queue."""
        try:
            sent = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:
            sent = False
        self._stats.spans["sent" if sent else "failed"] += len(spans)
        self.done += len(spans)
        if sent is self._failing:
            self._failing = not sent
            if sent:
                log.info("traces: the collector takes spans again")
            else:
                log.warning("traces: the collector does not take spans; they are dropped, and events are not affected")
        return SpanExportResult.SUCCESS if sent else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()


class _Queue(BatchSpanProcessor):
    """The queue of OpenTelemetry with a bound of our own, so that what is dropped can be counted."""

    def __init__(self, exporter: _Counting, stats: Stats) -> None:
        super().__init__(exporter, 2 * QUEUE, _EVERY_MS, _AT_ONCE)
        self._counting, self._stats = exporter, stats
        self._taken = 0

    @property
    def waiting(self) -> int:
        """Number of spans that are not sent yet, those on their way included."""
        return self._taken - self._counting.done

    def on_end(self, span: ReadableSpan) -> None:
        """Take ``span``, or drop it if the queue is full; called by the thread that ends it, one at a time."""
        if self.waiting >= QUEUE:
            self._stats.spans["queue_full"] += 1
            return
        self._taken += 1
        super().on_end(span)
