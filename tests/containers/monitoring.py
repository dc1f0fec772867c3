"""Prometheus as deploy/monitoring.yml starts it, and whether the dashboard shows anything with it.

It is Debian's Prometheus in place of the image's. Grafana cannot be had without a registry of images, so the queries of
its panels are asked here.
"""

from __future__ import annotations

import json
import re

from tests.containers.compose import Compose
from tests.containers.engine import BASE, PATIENCE, ROOT, Engine
from tests.deploy.test_monitoring import panels

EMPTY = {
    "Cache": "the starter pipeline has no cache",
    "Routes": "the starter pipeline has no routes",
    "Redacted values": "the starter pipeline redacts nothing",
    "Drift": "there is no reference to compare with",
}
"""Panels without data for the pipeline of the compose file, each with the reason."""
QUIET = re.compile(r"glossator_paused.* > 0")
"""A query that finds nothing while nothing is paused."""


def prometheus_image(engine: Engine, name: str) -> list[str]:
    """Build a stand-in for Prometheus' image: the program of this machine, and a name server as Docker has one.

    Returns the options that its containers need.
    """
    context = engine.folder / "prometheus"
    context.mkdir()
    (context / "start.sh").write_text(
        "#!/bin/sh\npython /opt/names.py &\n"
        "exec prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus\n"
    )
    (context / "start.sh").chmod(0o755)
    (context / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (context / "Dockerfile").write_text(f'FROM {BASE}\nCOPY start.sh /opt/\nENTRYPOINT ["/opt/start.sh"]\n')
    engine.build(str(context), "--tag", name)
    return [
        "--volume=/usr/bin/prometheus:/usr/bin/prometheus:ro",
        f"--volume={context}/resolv.conf:/etc/resolv.conf:ro",
        f"--volume={ROOT}/tests/containers/names.py:/opt/names.py:ro",
        f"--volume={ROOT}/tests/containers/queries.py:/opt/queries.py:ro",
    ]


def empty_panels(compose: Compose) -> set[str]:
    """Return the titles of the dashboard's panels with a query that finds nothing, though they are given a while."""
    queries = {
        panel["title"]: [
            re.sub(r"\$(pipeline|slot|task)", ".*", target["expr"].replace("$__rate_interval", "1m"))
            for target in panel["targets"]
            if not QUIET.search(target["expr"])
        ]
        for panel in panels()
    }
    ask = ("podman", "exec", "prometheus", "python", "/opt/queries.py", json.dumps(queries), json.dumps([*EMPTY]))
    answer = compose.engine.run(*ask, timeout=PATIENCE + 60).stdout
    return set(json.loads(answer))
