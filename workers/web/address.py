"""Where a worker serves its metrics and probes, and how to ask it there. Health checks import this."""

from __future__ import annotations

import http.client
import re
from typing import NamedTuple

from schemas.pipeline.config import Pipeline

VARIABLE = "GLOSSATOR_TELEMETRY"
"""The environment variable that holds an address in place of the one in the pipeline file."""
_LONGEST_ANSWER = 1 << 16
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what they are asked at, not what is opened


class Address(NamedTuple):
    """A host, by name or number, and a port; 0 is any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def next(self, places: int) -> Address:
        """Return the address ``places`` ports further; a port of 0 stays 0. The port may then be over 65535."""
        return Address(self.host, self.port + places if self.port else 0)

    def ask(self, path: str, seconds: float) -> tuple[int, str]:
        """Send GET ``path`` from this machine; return the HTTP status and at most 64 KiB of the answer.

        Addresses of all interfaces are asked at loopback. Each step of the exchange may take ``seconds``.

        Raises:
            OSError: Nothing listens there, or it does not answer in time.
            http.client.HTTPException: What answers is no HTTP server.
        """
        connection = http.client.HTTPConnection(_WILDCARDS.get(self.host, self.host), self.port, timeout=seconds)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(_LONGEST_ANSWER).decode(errors="replace")
        finally:
            connection.close()


def parse_address(text: str) -> Address:
    """Read HOST:PORT, with an IPv6 host in brackets. Raises ValueError."""
    parts = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:\s/@]+)):(?P<port>[0-9]{1,5})", text)
    if parts is None or int(parts["port"]) > 65_535:
        raise ValueError("must be HOST:PORT, such as 0.0.0.0:9464 or [::]:9464")
    return Address(parts["six"] or parts["host"], int(parts["port"]))


def address_of(pipeline: Pipeline, slot: int) -> Address | None:
    """Return the address that the pipeline file gives to ``slot``; None if it turns telemetry off."""
    telemetry = pipeline.telemetry
    return None if telemetry.port is None else Address(telemetry.host, telemetry.port).next(slot)
