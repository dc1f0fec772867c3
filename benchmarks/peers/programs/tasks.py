"""What the programs of the peers share: their arguments, the models, and the form of an output record."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--tasks", required=True, help="a JSON file: a list of name, task and model")
    parser.add_argument("--batch", type=int, default=1)
    return parser.parse_args()


def entries(file: str) -> list[dict[str, str]]:
    """Return the tasks of a file: ``name``, ``task`` and ``model``, the folder of the checkpoint."""
    tasks: list[dict[str, str]] = json.loads(Path(file).read_text())
    return tasks


class Annotator:
    """Runs a pipeline of transformers for each task over texts, ``batch`` at a time."""

    def __init__(self, file: str, batch: int = 1) -> None:
        from transformers import pipeline

        self._batch = batch
        self._pipelines: dict[str, Any] = {}
        for entry in entries(file):
            settings: dict[str, Any] = (
                {"aggregation_strategy": "simple"}
                if entry["task"] == "token-classification"
                else {"top_k": None, "truncation": True}
            )
            make: Any = pipeline  # its types are an overload for each task
            self._pipelines[entry["name"]] = make(entry["task"], model=entry["model"], device="cpu", **settings)

    def events(self, events: list[Event]) -> list[Event]:
        """Return an output record for each event: the event and its annotations."""
        texts = [event["text"] for event in events]
        columns = {name: pipe(texts, batch_size=self._batch) for name, pipe in self._pipelines.items()}
        return [
            output(event, {name: annotation(column[place]) for name, column in columns.items()})
            for place, event in enumerate(events)
        ]

    def event(self, event: Event) -> Event:
        return self.events([event])[0]


def output(event: Event, annotations: dict[str, Any]) -> Event:
    return {"event": event, "annotations": annotations}


def annotation(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a pipeline says about one text in the form of glossator's annotations."""
    if not results or "entity_group" in results[0]:
        return {
            "spans": [
                {
                    "start": span["start"],
                    "end": span["end"],
                    "label": span["entity_group"],
                    "score": float(span["score"]),
                }
                for span in results
            ]
        }
    scores = {result["label"]: float(result["score"]) for result in results}
    best = max(scores, key=scores.__getitem__)
    return {"label": best, "score": scores[best], "scores": scores}
