"""Serves ``/metrics``, ``/livez`` and ``/readyz`` over HTTP, by default on the loopback interface."""

from __future__ import annotations

import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from schemas.pipeline.config import Pipeline
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats

log = logging.getLogger("glossator")

_TEXT = "text/plain; charset=utf-8"


def serve(pipeline: Pipeline, stats: Stats, slot: int) -> ThreadingHTTPServer | None:
    """Start a server of ``stats`` on daemon threads and return it.

    - ``/metrics``: the text format of Prometheus.
    - ``/livez``: 200 while the poll loop turns within ``max.poll.interval.ms``, otherwise 503.
    - ``/readyz``: 200 while the worker is alive, has partitions, and nothing is stuck; otherwise 503 and the reasons.

    Returns None if the pipeline file turns telemetry off, or if the port cannot be opened, which is logged.
    """
    port = pipeline.telemetry.port
    if port is None:
        return None
    exposition = Exposition(stats, pipeline.pipeline, slot)
    patience = float(pipeline.kafka.get("max.poll.interval.ms", 300_000)) / 1000

    class Handler(BaseHTTPRequestHandler):
        server_version = "glossator"
        sys_version = ""
        timeout = 10

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, exposition.text(), CONTENT_TYPE_LATEST)
            elif self.path in {"/livez", "/readyz"}:
                reasons = _against(stats, patience, ready=self.path == "/readyz")
                self._answer(503 if reasons else 200, ("\n".join(reasons) or "ok").encode() + b"\n", _TEXT)
            else:
                self._answer(404, b"/metrics, /livez, /readyz\n", _TEXT)

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *message: object) -> None:
            """Do not log: every scrape would be a line."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore clients that disconnect."""

    address = (pipeline.telemetry.host, port + slot if port else 0)
    try:
        server = Server(address, Handler)
    except (OSError, OverflowError) as error:
        log.warning("no metrics: cannot listen on %s:%d (%s)", *address, type(error).__name__)
        return None
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    log.info("metrics on http://%s:%d/metrics", *server.server_address[:2])
    return server


def _against(stats: Stats, patience: float, ready: bool) -> list[str]:
    """Return the reasons why the worker is not alive or, with ``ready``, not ready."""
    if not stats.turned:
        return ["the worker has not started polling"] if ready else []
    idle = time.monotonic() - stats.turned
    reasons = [f"the poll loop has not turned for {idle:.0f} s"] if idle > patience else []
    if ready:
        reasons += [f"{what}: {why}" for what, why in list(stats.stuck.items())]
        if not stats.partitions:
            reasons.append("no partition is assigned")
    return reasons
