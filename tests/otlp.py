"""A collector for tests: takes OTLP over HTTP on loopback and decodes it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What has arrived; ``url`` is its address, ``status`` what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[bytes] = []
        self.paths: set[str] = set()
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def spans(self) -> list[Any]:
        """All spans that were taken, as protobuf, in the order in which they arrived."""
        return [span for resource in self._resources() for scope in resource.scope_spans for span in scope.spans]

    def resources(self) -> list[dict[str, Any]]:
        return [attributes(resource.resource) for resource in self._resources()]

    def _resources(self) -> Iterator[Any]:
        for body in self.requests:
            yield from ExportTraceServiceRequest.FromString(body).resource_spans


def attributes(of: Any) -> dict[str, Any]:
    """The attributes of a span, a link or a resource."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Serve a collector on a free port of loopback."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.paths.add(self.path)
            collector.headers.append(dict(self.headers))
            if collector.status == 200:
                packed = self.headers.get("Content-Encoding") == "gzip"
                collector.requests.append(gzip.decompress(body) if packed else body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
