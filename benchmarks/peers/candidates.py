"""What is compared: the command of each candidate, and which tasks it runs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.peers import checkpoints

REPOSITORY = Path(__file__).parents[2]
PEERS = REPOSITORY / ".venv-peers" / "bin" / "python"
CHECKPOINTS = REPOSITORY / ".cache" / "peers"

Entries = list[dict[str, str]]


@dataclass(frozen=True)
class Candidate:
    """A process that annotates a topic.

    ``program``: a module in ``programs/``, empty for glossator. ``batch``: of a peer, in events. ``settings``: sections
    of glossator's pipeline file, such as ``{"compute": {"dtype": "bfloat16"}}``. ``checkout``: whose glossator it is.
    ``launcher``: what Python is started with to run glossator.
    """

    name: str
    program: str = ""
    batch: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    workers: int = 1
    checkout: Path = REPOSITORY
    launcher: tuple[str, ...] = ("-m", "glossator")


GLOSSATOR = Candidate("glossator", settings={"compute": {"dtype": "float32"}})
BFLOAT16 = Candidate("glossator bfloat16", settings={"compute": {"dtype": "bfloat16"}})
INT8 = Candidate("glossator int8", settings={"compute": {"dtype": "int8"}})
LOOP = Candidate("loop", "loop")
SENTENCE_TRANSFORMERS = Candidate("sentence-transformers", "sentence_transformers_loop", 256)
INFINITY = Candidate("infinity-emb", "infinity_loop", 256)

PEERS_OF = {
    "four": (
        LOOP, Candidate("loop, batches of 32", "loop", 32),
        Candidate("Quix Streams", "quix"),
        Candidate("Bytewax", "bytewax_flow"), Candidate("FastStream", "faststream_app"),
        Candidate("Bytewax, batches of 32", "bytewax_flow", 32),
        Candidate("FastStream, batches of 32", "faststream_app", 32),
    ),
    "separate": (LOOP,),
    "classifier": (LOOP, INFINITY),
    "embedding": (SENTENCE_TRANSFORMERS, INFINITY),
}  # fmt: skip
"""The set of tasks -> the peers, by importance."""

TITLES = {
    "four": "four tasks, one trunk", "separate": "four tasks, four trunks", "classifier": "one classifier",
    "embedding": "one embedding",
}  # fmt: skip


def tasks_of(group: str) -> Entries:
    """Return the tasks of a set: name, task and model. Missing checkpoints are written."""
    heads = {"classifier": checkpoints.FOUR[:1], "embedding": (checkpoints.VECTOR,)}.get(group, checkpoints.FOUR)
    return checkpoints.tasks(CHECKPOINTS, heads, shared=group != "separate")


def command(candidate: Candidate, tasks: list[dict[str, Any]], servers: str, topic: str, folder: Path) -> list[str]:
    """Return the command that annotates ``topic`` and writes to ``topic`` + ``.out``; its files are in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if not candidate.program:
        file = folder / "pipeline.yaml"
        with file.open("w") as stream:
            YAML(typ="safe").dump(pipeline(candidate, tasks, servers, topic), stream)
        worker = [sys.executable, *candidate.launcher, "run", "--state", str(folder), "--log-level", "warning"]
        return [*worker, "--workers", str(candidate.workers), str(file)]
    file = checkpoints.write(tasks, folder / "tasks.json")
    return [
        str(PEERS), "-m", f"peers.programs.{candidate.program}", "--servers", servers, "--topic", topic,
        "--out", f"{topic}.out", "--group", topic, "--tasks", str(file), "--batch", str(candidate.batch),
    ]  # fmt: skip


def pipeline(candidate: Candidate, tasks: list[dict[str, Any]], servers: str, topic: str) -> dict[str, Any]:
    """Return glossator's pipeline file. Like the pipelines of transformers it cuts long texts off."""
    return {
        "pipeline": topic,
        "kafka": {"bootstrap.servers": servers},
        "input": {"topics": [topic]},
        "tasks": [{**task, "long_text": "truncate"} for task in tasks],
        "output": {"topic": f"{topic}.out", "dead_letter": f"{topic}.dead"},
        "telemetry": {"port": 0},
        **candidate.settings,
    }


def environment(candidate: Candidate, threads: int | None) -> dict[str, str]:
    """Return the environment of the process: nothing that ``benchmarks`` has set up for glossator.

    ``threads`` is for all alike; None: what torch chooses, one for each core.
    """
    variables = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    variables |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true", "DO_NOT_TRACK": "1"}
    if threads:
        variables["OMP_NUM_THREADS"] = str(threads)
    variables["PYTHONPATH"] = str(REPOSITORY / "benchmarks" if candidate.program else candidate.checkout)
    return variables
