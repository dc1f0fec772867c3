"""``shape: openai``: the answer of OpenAI's moderation endpoint.

Source: OpenAI's API reference, "Create moderation", and its guide "Moderation", which says that categories that do not
apply to the input are answered with a score of 0; ``category_applied_input_types`` of them is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.taxonomies import names
from stream.output.shapes.base import Published, judgements

CATEGORIES = names("openai")


class OpenAIShaper:
    """One result per event; none if no task has judged it. Any thread may use it."""

    def __init__(self, tasks: Sequence[str], models: Mapping[str, Mapping[str, str]], complete: bool = False) -> None:
        """Prepare the answers.

        Args:
            tasks: the tasks whose scores are used; the first that gives a category counts.
            models: the ``model`` and ``revision`` of each task.
            complete: also write the categories that no task gives.
        """
        self._tasks = tuple(tasks)
        refs = [models[name] for name in tasks if name in models]
        self._model = ", ".join(dict.fromkeys(f"{ref['model']}@{ref['revision']}" for ref in refs))
        self._complete = complete

    def shape(self, published: Published) -> dict[str, Any]:
        """Return the answer. ``flagged`` is whether one of its categories is."""
        scores: dict[str, tuple[float, bool]] = {}
        judged = False
        for annotation in judgements(published.annotations, self._tasks):
            judged = True
            for entry in annotation["labels"]:
                scores.setdefault(entry["label"], (entry["score"], entry["flagged"]))
        return {"id": published.id, "model": self._model, "results": [self._result(scores)] if judged else []}

    def _result(self, scores: Mapping[str, tuple[float, bool]]) -> dict[str, Any]:
        result: dict[str, Any] = {
            "flagged": any(scores[name][1] for name in CATEGORIES if name in scores),
            "categories": {},
            "category_scores": {},
            "category_applied_input_types": {},
        }
        for name in CATEGORIES:
            if name in scores or self._complete:
                score, flagged = scores.get(name, (0.0, False))
                result["categories"][name] = flagged
                result["category_scores"][name] = score
                result["category_applied_input_types"][name] = ["text"] if name in scores else []
        return result
