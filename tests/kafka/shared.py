"""One broker for all processes of a test run that is spread over several."""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster


@contextmanager
def shared_cluster(folder: Path) -> Iterator[Cluster]:
    """The cluster of the test run whose processes all name the same ``folder``.

    The first process to come starts it and, when it is done, waits for the others before it stops it: every user holds
    a shared lock. The embedded broker dies with its process and costs next to nothing, so it is not shared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = folder / "cluster.json"
    with (folder / "start.lock").open("w") as start, (folder / "users.lock").open("w") as users:
        fcntl.flock(start, fcntl.LOCK_EX)
        if address.exists():
            fcntl.flock(users, fcntl.LOCK_SH)
            fcntl.flock(start, fcntl.LOCK_UN)
            yield Cluster(**json.loads(address.read_text()))
            return
        with cluster(Path(tempfile.mkdtemp(prefix="broker-", dir=folder))) as started:
            if started.real:
                address.write_text(json.dumps(asdict(started)))
            fcntl.flock(start, fcntl.LOCK_UN)
            try:
                yield started
            finally:
                # A process that comes after this starts another broker.
                fcntl.flock(start, fcntl.LOCK_EX)
                address.unlink(missing_ok=True)
                fcntl.flock(start, fcntl.LOCK_UN)
                fcntl.flock(users, fcntl.LOCK_EX)
