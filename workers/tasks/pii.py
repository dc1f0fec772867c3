"""``pii``: what identifies a person, by checked patterns, by a model, or by both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES
from schemas.tasks import PiiTask
from workers.pii.overlaps import resolve
from workers.pii.presidio import load_recognizers
from workers.pii.recognizers import Finding, Recognizers, known_entities
from workers.tasks.base import Activation, HeadInfo, Reading, Task
from workers.tasks.scores import DECIMALS
from workers.tasks.spans import OUTSIDE, Spans


class Pii(Task):
    """Spans under Presidio's entity names, none overlapping another.

    Findings of patterns, of ``spans`` of other tasks and of the model compete; what scores under the threshold
    does not; see ``workers/pii/overlaps.py`` for who wins.
    """

    def __init__(self, config: PiiTask, head: HeadInfo) -> None:
        """Raises ModelError when the patterns' libraries are missing, or an entity asked for cannot be found."""
        super().__init__(config, head)
        self._threshold = config.threshold
        self._others = config.spans or []
        extra = [] if config.recognizers is None else load_recognizers(Path(config.recognizers))
        patterned = {*known_entities(), *(recognizer.entity for recognizer in extra)}
        asked = set(config.entities or ())
        self._entities = frozenset(asked) or None
        unknown = sorted(asked - patterned - set(self._named()))
        if unknown and not self._others:
            raise ModelError(
                f'nothing here finds "{unknown[0]}": there are patterns for {", ".join(sorted(patterned))}'
                + ("" if config.model else "; names and places need a model, or the spans of another task")
            )
        self._recognizers = Recognizers(
            asked & patterned if asked else None, tuple(config.regions or ("US", "GB")), extra
        )

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        findings = [*self._recognizers.find(document.text), *self._borrowed(document)]
        return self._resolved(document.text, findings)

    def reference(self) -> dict[str, str] | None:
        return {"model": "glossator.pii", "revision": version("glossator")}

    def _named(self) -> Iterable[str]:
        """The entities a model finds."""
        return ()

    def _borrowed(self, document: Document) -> list[Finding]:
        return [
            Finding(span["start"], span["end"], _entity(span["label"]), span["score"], name, checked=False)
            for name in self._others
            for span in document.annotations[name]["spans"]
        ]

    def _resolved(self, text: str, findings: Iterable[Finding]) -> Annotation:
        kept = [
            finding
            for finding in findings
            if finding.score >= self._threshold and (self._entities is None or finding.label in self._entities)
        ]
        spans: list[dict[str, Any]] = [
            {
                "start": finding.start, "end": finding.end, "label": finding.label,
                "score": round(finding.score, DECIMALS), "text": text[finding.start : finding.end],
            }
            for finding in resolve(kept)
        ]  # fmt: skip
        return {"spans": spans}


class PiiByModel(Pii):
    """With a token classifier for what has no pattern: names, places, organisations."""

    head_kind = "token"

    def __init__(self, config: PiiTask, head: HeadInfo) -> None:
        """Raises ModelError also for a head without the label ``O``."""
        self._spans = Spans(config, head)
        self._head_labels = head.labels
        super().__init__(config, head)

    def activation(self) -> Activation:
        return self._spans.activation()

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        found = self._spans.annotate(document, readings)["spans"]
        findings = [
            Finding(span["start"], span["end"], _entity(span["label"]), span["score"], "model", checked=False)
            for span in found
        ]
        return self._resolved(
            document.text, [*self._recognizers.find(document.text), *self._borrowed(document), *findings]
        )

    def reference(self) -> dict[str, str] | None:
        return None

    def _named(self) -> Iterable[str]:
        return (_entity(label.split("-", 1)[-1]) for label in self._head_labels if label != OUTSIDE)


def _entity(label: str) -> str:
    """A model's label under Presidio's name for it."""
    return ENTITIES.get(label.upper(), label.upper())
