"""A Schema Registry in this process, for tests: its REST API, and everything that can go wrong with one."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import certifi

AVRO, JSON, PROTOBUF = "AVRO", "JSON", "PROTOBUF"


class FakeRegistry:
    """Keeps schemas and serves them on the loopback interface.

    Attributes:
        status: answer every request with this status, until it is None again.
        delay: seconds before each answer.
        login: the user and the password to ask for; None: nobody is asked.
        page: answer every request with this text, as a web server does that is no registry.
        has_guids: whether schemas can be asked for by their UUIDs, which some registries cannot.
        requests: the methods and paths of all requests.
        compatibility: what subjects were set to.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.delay = 0.0
        self.login: tuple[str, str] | None = None
        self.page: str | None = None
        self.has_guids = True
        self.requests: list[str] = []
        self.compatibility: dict[str, str] = {}
        self._schemas: dict[int, dict[str, Any]] = {}
        self._subjects: dict[str, list[int]] = {}
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Listen, at the same port as before if there was one."""
        registry = self

        class Handler(_Handler):
            home = registry

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def add(
        self, subject: str, schema: object, kind: str = AVRO, references: list[dict[str, Any]] | None = None
    ) -> int:
        """Register ``schema``, text or something to write as JSON; return its id."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        entry = {"schema": text, "schemaType": kind, "references": references or []}
        number = next((key for key, known in self._schemas.items() if entry.items() <= known.items()), 0)
        if not number:
            number = len(self._schemas) + 1
            self._schemas[number] = {**entry, "guid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}"))}
        versions = self._subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def guid(self, number: int) -> str:
        return str(self._schemas[number]["guid"])

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        steps = [unquote(step) for step in path.strip("/").split("/")]
        match method, steps:
            case "GET", ["schemas", "ids", text] if int(text) in self._schemas:
                return 200, self._schemas[int(text)]
            case "GET", ["schemas", "ids", text, "subjects"] if int(text) in self._schemas:
                return 200, [name for name, numbers in self._subjects.items() if int(text) in numbers]
            case "GET", ["schemas", "types"]:
                return 200, [AVRO, JSON, PROTOBUF]
            case "GET", ["schemas", "guids", *_] if not self.has_guids:
                return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
            case "GET", ["schemas", "guids", guid]:
                for entry in self._schemas.values():
                    if entry["guid"] == guid:
                        return 200, entry
            case "GET", ["schemas", *_]:
                pass
            case "GET", ["subjects", subject, "versions", version]:
                versions = self._subjects.get(subject)
                if versions is None:
                    return 404, {"error_code": 40401, "message": "no such subject"}
                index = len(versions) if version == "latest" else int(version)
                if not 0 < index <= len(versions):
                    return 404, {"error_code": 40402, "message": "no such version"}
                number = versions[index - 1]
                return 200, {"subject": subject, "version": index, "id": number, **self._schemas[number]}
            case "POST", ["subjects", subject, "versions"]:
                number = self.add(subject, body["schema"], body.get("schemaType", AVRO), body.get("references"))
                return 200, {"id": number}
            case "POST", ["subjects", subject]:
                for index, number in enumerate(self._subjects.get(subject, ()), 1):
                    entry = self._schemas[number]
                    if json.loads(entry["schema"]) == json.loads(body["schema"]):
                        return 200, {"subject": subject, "version": index, "id": number, **entry}
            case "PUT", ["config", subject]:
                self.compatibility[subject] = body["compatibility"]
                return 200, body
            case _:
                return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        return 404, {"error_code": 40403, "message": "no such schema"}


class _Handler(BaseHTTPRequestHandler):
    home: FakeRegistry
    timeout = 10

    def do_GET(self) -> None:
        home = self.home
        path = urlsplit(self.path).path
        home.requests.append(f"{self.command} {path}")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        time.sleep(home.delay)
        if home.page is not None:
            self._send(200, home.page.encode())
        elif home.status is not None:
            self._send(home.status, b'{"error_code": 50001, "message": "as the test wants"}')
        elif home.login is not None and self.headers.get("Authorization") != _basic(*home.login):
            self._send(401, b'{"error_code": 40101, "message": "Unauthorized"}')
        else:
            status, answer = home.answer(self.command, path, body)
            self._send(status, json.dumps(answer).encode())

    do_POST = do_PUT = do_GET  # noqa: N815 - the names that the base class looks for

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class has
        pass


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def fake_registry() -> Iterator[FakeRegistry]:
    """Yield a registry that listens.

    Meanwhile, this process trusts one certificate authority: it speaks HTTP to the registry, but each client that is
    made loads the certificates of all authorities, which takes a fiftieth of a second.
    """
    registry = FakeRegistry()
    registry.open()
    try:
        with tempfile.TemporaryDirectory() as folder:
            authority = Path(folder) / "authority.pem"
            end = "-----END CERTIFICATE-----\n"
            authority.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end)
            with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(authority)}):
                yield registry
    finally:
        registry.close()


def framed(number: int, payload: bytes) -> bytes:
    """Return ``payload`` behind the id of its schema."""
    return b"\x00" + number.to_bytes(4) + payload
