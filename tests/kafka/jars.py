"""Apache Kafka's jars, downloaded once with Maven into ``.cache/kafka`` of the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"


class NoKafkaError(Exception):
    """This kind of Kafka is not available on this machine; the message says why."""


def classpath() -> str:
    """Return the argument of ``java -cp``. Raises NoKafkaError without Java or Maven, or if the download fails.

    The folder is named after the content of ``pom.xml`` and moved into place when it is complete. So neither an
    interrupted download nor a second test run at the same time leaves an incomplete one.
    """
    if shutil.which("java") is None:
        raise NoKafkaError("no java on this machine")
    folder = CACHE / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _fetch(folder)
    return f"{folder}/*"


def _fetch(folder: Path) -> None:
    if (maven := shutil.which("mvn")) is None:
        raise NoKafkaError("no mvn on this machine")
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        jars = Path(temporary) / "jars"
        command = [maven, "-B", "-q", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoKafkaError(f"Maven could not fetch Apache Kafka:\n{(done.stdout + done.stderr)[-1500:]}")
        jars.rename(folder)
