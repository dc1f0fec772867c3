"""Checks the harness: every mutant must turn a round red, in every delivery in which it is a mistake.

``python -m tests.chaos.mutation --rounds 5``; the status is 1 if a mutant stays green.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos import run
from tests.chaos.mutants import MUTANTS

ONLY = {"leave-open": "rolling-restart,scale", "skip-drain": "rolling-restart,scale"}
"""Faults that reveal a mistake which is made only when a worker leaves or gives up partitions."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=5, help="a mutant must turn red within this many")
    parser.add_argument("--mutants", nargs="*", choices=MUTANTS, default=list(MUTANTS))
    options = parser.parse_args()
    table = Table(title=f"mutants, seed {options.seed}")
    for column in ("mutant", "delivery", "round", "what was broken"):
        table.add_column(column)
    survived = False
    for mutant in options.mutants:
        for delivery in MUTANTS[mutant][1]:
            folder = Path(tempfile.mkdtemp(prefix=f"chaos-{mutant}-"))
            report = folder / "report.json"
            status = run.main([
                "--seed", str(options.seed), "--rounds", str(options.rounds), "--mutant", mutant,
                "--delivery", delivery, "--nodes", "1", "--folder", str(folder), "--report", str(report),
                *(["--only", ONLY[mutant]] if mutant in ONLY else []),
            ])  # fmt: skip
            if status == 130:
                return status
            last = json.loads(report.read_text())["rounds"][-1]
            survived = survived or not last["broken"]
            table.add_row(mutant, delivery, last["seed"], ", ".join(last["broken"]) or "[red]it stayed green[/]")
    Console().print(table)
    return int(survived)


if __name__ == "__main__":
    sys.exit(main())
