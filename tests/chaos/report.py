"""The report on all rounds: JSON for programs, a table for people."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

_PERCENTILES = (50, 90, 99)


class Report:
    """The rounds played so far with one seed. It is written after each, so only the current round can be lost."""

    def __init__(self, path: Path | None, seed: int, settings: dict[str, Any], resume: bool) -> None:
        """Raises ValueError if the report to be resumed has another seed or other settings."""
        self._path, self._seed, self._settings = path, seed, settings
        self.rounds: list[dict[str, Any]] = []
        if resume and path is not None and path.exists():
            saved = json.loads(path.read_text())
            if (saved["seed"], saved["settings"]) != (seed, settings):
                raise ValueError(f"{path} is of seed {saved['seed']} and {saved['settings']}")
            self.rounds = saved["rounds"]

    @property
    def red(self) -> list[dict[str, Any]]:
        return [played for played in self.rounds if played["broken"]]

    def add(self, played: dict[str, Any]) -> None:
        self.rounds.append(played)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self.as_dict(), indent=1))
            new.replace(self._path)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seed": self._seed,
            "settings": self._settings,
            "summary": [{"delivery": name[0], "protocol": name[1], **sums} for name, sums in self._sums().items()],
            "total": totals(self.rounds),
            "by_nodes": {str(nodes): totals(rounds) for nodes, rounds in self._by_nodes().items()},
            "recovery_by_kind": recovery_by_kind(self.rounds),
            "rounds": self.rounds,
        }

    def table(self) -> Table:
        table = Table(title=f"seed {self._seed}: {len(self.rounds)} rounds, {len(self.red)} red")
        columns = ("rounds", "red", "events", "faults", "lost", "duplicated", "bound")
        for column in ("delivery", "protocol", *columns, "recovery s p50", "p90", "p99"):
            table.add_column(column, justify="left" if column in ("delivery", "protocol") else "right")
        nodes = [((f"on {count} nodes", ""), totals(rounds)) for count, rounds in self._by_nodes().items()]
        for name, sums in [*self._sums().items(), *nodes, (("all", ""), totals(self.rounds))]:
            recovery = (str(sums["recovery_s"].get(f"p{percent}", "")) for percent in _PERCENTILES)
            table.add_row(*name, *(str(sums[column]) for column in columns), *recovery)
        table.caption = ", ".join(f"{kind} {count}" for kind, count in totals(self.rounds)["faults_by_kind"].items())
        return table

    def _by_nodes(self) -> dict[int, list[dict[str, Any]]]:
        groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for played in self.rounds:
            groups[played["nodes"]].append(played)
        return dict(sorted(groups.items()))

    def _sums(self) -> dict[tuple[str, str], dict[str, Any]]:
        groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for played in self.rounds:
            groups[played["delivery"], played["protocol"]].append(played)
        return {name: totals(group) for name, group in sorted(groups.items())}


def totals(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kinds = Counter(kind for played in rounds for kind in played["faults"])
    return {
        "rounds": len(rounds),
        "red": sum(bool(played["broken"]) for played in rounds),
        "events": sum(played["sent"] for played in rounds),
        "faults": sum(kinds.values()),
        "lost": sum(played["lost"] for played in rounds),
        "duplicated": sum(played["duplicated"] for played in rounds),
        "bound": sum(played["bound"] for played in rounds),
        "recovery_s": percentiles(seconds for played in rounds for _, seconds in played["recovery"]),
        "faults_by_kind": dict(sorted(kinds.items())),
        "missed_by_kind": dict(sorted(Counter(kind for played in rounds for kind in played.get("missed", ())).items())),
        "most_used": {
            figure: max(played["usage"][figure] for played in rounds if "usage" in played)
            for figure in next((played["usage"] for played in rounds if "usage" in played), ())
        },
        "seconds": round(sum(played["seconds"] for played in rounds), 1),
    }


def recovery_by_kind(rounds: Iterable[dict[str, Any]]) -> dict[str, dict[str, float]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    for played in rounds:
        for kind, took in played["recovery"]:
            seconds[kind].append(took)
    return {kind: percentiles(took) for kind, took in sorted(seconds.items())}


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """Return the percentiles of ``values`` by nearest rank; empty if there are no values."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {f"p{percent}": ordered[-(-percent * len(ordered) // 100) - 1] for percent in _PERCENTILES}
