"""Hot swap under load: no rebalance, every event comes once, and each names the configuration that made it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from tests.integration.lib import PROTOCOLS, Case, eventually
from tests.workers import tiny
from workers.models.checkpoints import resolve

pytestmark = pytest.mark.integration


def written(case: Case, model: Path, protocol: str, more: str = "") -> str:
    return f"""\
pipeline: {case.group}
kafka: {{bootstrap.servers: "{case.broker.bootstrap_servers}", group.protocol: {protocol}}}
input: {{topics: [{case.input}]}}
tasks:
  - {{name: tone, task: text-classification, model: {model}{more}}}
output: {{topic: {case.output}}}
batching: {{max_events: 20, linger_ms: 5}}
compute: {{forward_tokens: 256, threads: 1}}
"""


@contextmanager
def running(file: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with Path(f"{file}.log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "run", str(file), *options], stderr=log, env=os.environ
        )
    try:
        yield worker
    except BaseException:
        print(Path(f"{file}.log").read_text())  # pytest shows it with the failure
        raise
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_changed_file_takes_over_without_a_rebalance(real_kafka: Any, tmp_path: Path, protocol: str) -> None:
    case = Case(real_kafka, partitions=3, protocol=protocol)
    old, new = (tiny.checkpoint("bert", "sequence", seed=seed) for seed in (0, 1))
    file = tmp_path / "pipeline.yaml"
    file.write_text(written(case, old, protocol))
    log = Path(f"{file}.log")
    fed = 0
    stop = threading.Event()

    def load() -> None:
        """Feed as long as the worker keeps up, or it would read a long backlog of one partition before the next."""
        nonlocal fed
        while not stop.is_set():
            if fed - case.count(case.output) < 1000:
                case.feed(200, start=fed)
                fed += 200
            stop.wait(0.1)

    def events() -> list[dict[str, Any]]:
        """Return the enriched events in the order of their source records."""
        rows = [json.loads(row.value or b"") for row in case.read(case.output)]
        return sorted(rows, key=lambda event: event["source"]["offset"])

    def reaches_all_partitions(model: Path) -> None:
        """Wait until the latest event of each input partition was made by the configuration with ``model``."""
        config = config_hash(parse(written(case, model, protocol)))

        def reached() -> bool:
            latest = {event["source"]["partition"]: event["pipeline"]["config"] for event in events()}
            return latest == dict.fromkeys(range(3), config)

        eventually(reached)

    def logged(words: str) -> int:
        return log.read_text().count(words)

    with running(file, "--watch") as worker:
        producer = threading.Thread(target=load)
        producer.start()
        try:
            eventually(lambda: case.count(case.output) > 500)
            members = case.broker.members(case.group)
            # Neither a file with a mistake nor one that needs a restart changes anything.
            file.write_text(written(case, old, protocol, ", colour: red"))
            eventually(lambda: logged("colour: unknown field") == 1)
            file.write_text(written(case, old, protocol).replace("max_events: 20", "max_events: 30"))
            eventually(lambda: logged("batching: has changed, which needs a restart") == 1)
            file.write_text(written(case, tmp_path / "nowhere", protocol))
            eventually(lambda: logged("there is no such folder") == 1)
            reaches_all_partitions(old)
            file.write_text(written(case, new, protocol))
            eventually(lambda: logged("from the next micro-batch on") == 1)
            reaches_all_partitions(new)
            # And back, this time on a signal.
            file.write_text(written(case, old, protocol))
            worker.send_signal(signal.SIGHUP)
            eventually(lambda: logged("from the next micro-batch on") == 2)
            reaches_all_partitions(old)
        finally:
            stop.set()
            producer.join()
        eventually(lambda: case.count(case.output) >= fed)
        assert case.broker.members(case.group) == members
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    assert case.ids(case.output) == Counter(range(fed))
    assert case.count(case.dead) == 0
    assert case.committed() == fed
    # The member was assigned its partitions once and gave them back once, at the end.
    assert logged("assigned") == 1
    made_by = {config_hash(parse(written(case, model, protocol))): resolve(str(model)).revision for model in (old, new)}
    assert len(set(made_by.values())) == 2
    runs: dict[int, list[str]] = defaultdict(list)
    for event in events():
        config = event["pipeline"]["config"]
        assert event["models"]["tone"]["revision"] == made_by[config]
        assert event["id"].endswith(config)
        order = runs[event["source"]["partition"]]
        if not order or order[-1] != config:
            order.append(config)
    first, second = made_by
    assert set(map(tuple, runs.values())) == {(first, second, first)}
