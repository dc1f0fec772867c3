"""Apicurio, a real Schema Registry, for the tests that need more than its REST API; it runs on Java 25 or later."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.kafka.jars import CACHE

VERSION = "3.3.3"
_OLDEST_JAVA = 25
_START = 180.0
"""Seconds that it may take to start on a busy machine."""


class NoApicurioError(Exception):
    """It cannot run on this machine; the message says why."""


@contextmanager
def apicurio(folder: Path) -> Iterator[str]:
    """Yield the URL of a registry with Confluent's API, whose log is in ``folder``. Raises NoApicurioError."""
    java, home = _java(), _installed()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"http.host": "127.0.0.1", "http.port": port, "management.host": "127.0.0.1", "management.port": 0}
    command = [java, "-Xmx400m", *(f"-Dquarkus.{name}={value}" for name, value in settings.items())]
    log = folder / "apicurio.log"
    with log.open("w") as output:
        process = subprocess.Popen([*command, "-jar", "quarkus-run.jar"], cwd=home, stdout=output, stderr=output)
    try:
        url, deadline = f"http://127.0.0.1:{port}/apis/ccompat/v7", time.monotonic() + _START
        while not _answers(url):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/subjects", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _java() -> str:
    """Return a Java that is recent enough: that of the path, or one of those that are installed."""
    paths = [shutil.which("java"), *map(str, sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True))]
    for path in dict.fromkeys(path for path in paths if path):
        told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
        version = told.partition('"')[2].partition('"')[0].partition(".")[0]
        if version.isdigit() and int(version) >= _OLDEST_JAVA:
            return path
    raise NoApicurioError(f"no Java {_OLDEST_JAVA} or later on this machine")


def _installed() -> Path:
    """Return the folder of the registry, which is downloaded once. Raises NoApicurioError."""
    home = CACHE / f"apicurio-{VERSION}"
    if home.is_dir():
        return home
    if (maven := shutil.which("mvn")) is None:
        raise NoApicurioError("no mvn on this machine")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
        command = [maven, "-B", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={temporary}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoApicurioError(f"Maven could not fetch Apicurio:\n{(done.stdout + done.stderr)[-1500:]}")
        (archive,) = Path(temporary).glob("*.tar.gz")
        unpacked = Path(temporary) / "home"
        with tarfile.open(archive) as files:
            files.extractall(unpacked, filter="data")
        if not home.is_dir():
            unpacked.rename(home)
    return home
