"""``pii``: what identifies a person, by checked patterns, by a model, or by both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES
from schemas.pipeline.tasks import PiiTask
from schemas.pipeline.wording import did_you_mean
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.pii.overlaps import resolve
from workers.pii.presidio import load_recognizers
from workers.pii.recognizers import Finding, Recognizers, known_entities
from workers.tasks.base import Task
from workers.tasks.scores import DECIMALS
from workers.tasks.spans import OUTSIDE, Spans

_NAMES = {
    **ENTITIES, "GPE": "LOCATION", "FAC": "LOCATION", "NORP": "NRP", "DATE": "DATE_TIME", "TIME": "DATE_TIME",
    "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER",
}  # fmt: skip
"""Labels of common models -> Presidio's entity, after its NerModelConfiguration; others stay, in capitals."""
_IMPERSONAL = frozenset({
    "CARDINAL", "EVENT", "LANGUAGE", "LAW", "MISC", "MONEY", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "WORK_OF_ART",
})  # fmt: skip
"""Labels of OntoNotes and CoNLL that identify nobody: Presidio leaves them out too; here unless asked for."""
_EDGES = " \t\r\n,;:-"


class Pii(Task):
    """Spans under Presidio's entity names, none overlapping another.

    Findings of patterns, of ``spans`` of other tasks and of the model compete; what scores under the threshold
    does not; see ``workers/pii/overlaps.py`` for who wins.
    """

    def __init__(self, config: PiiTask, head: HeadInfo) -> None:
        """Raises ModelError when the patterns' libraries are missing, the file of recognisers cannot be used, an entity
        asked for cannot be found, or a region is unknown."""
        super().__init__(config, head)
        self._threshold = config.threshold
        self._others = config.spans or []
        extra = [] if config.recognizers is None else load_recognizers(Path(config.recognizers))
        patterned = {*known_entities(), *(recognizer.entity for recognizer in extra)}
        named = set(self._named())
        asked = set(config.entities or ())
        self._entities = frozenset(asked) or None
        unknown = sorted(asked - patterned - named)
        # What other tasks' models call their spans is not known here.
        if unknown and not self._others:
            known = patterned | named
            hint = did_you_mean(unknown[0], known) or f"; it can be {', '.join(sorted(known))}" + (
                "" if config.model else "; names and places need a model, or the spans of another task"
            )
            raise ModelError(f'nothing here finds "{unknown[0]}"{hint}')
        try:
            self._recognizers = Recognizers(asked & patterned if asked else None, config.regions or ("US", "GB"), extra)
        except ValueError as error:
            raise ModelError(str(error)) from None

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        return self._resolved(document, ())

    def reference(self) -> dict[str, str] | None:
        return {"model": "glossator.pii", "revision": version("glossator")}

    def _is_wanted(self, label: str) -> bool:
        return label not in _IMPERSONAL if self._entities is None else label in self._entities

    def _named(self) -> Iterable[str]:
        """The entities a model finds."""
        return ()

    def _resolved(self, document: Document, more: Iterable[Finding]) -> Annotation:
        """The annotation of what patterns and other tasks find, and ``more``."""
        text = document.text
        borrowed = (one for name in self._others for one in _findings(document.annotations[name], name))
        kept = [
            finding
            for finding in (*self._recognizers.find(text), *borrowed, *more)
            if finding.score >= self._threshold and self._is_wanted(finding.label)
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
        # Other tasks' spans and the file of recognisers can change while text and settings stay.
        self.cacheable = config.spans is None and config.recognizers is None
        super().__init__(config, head)

    def activation(self) -> Activation:
        return self._spans.activation()

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        return self._resolved(document, _findings(self._spans.annotate(document, readings), "model"))

    def reference(self) -> dict[str, str] | None:
        return None

    def _named(self) -> Iterable[str]:
        return (_entity(label.split("-", 1)[-1]) for label in self._head_labels if label != OUTSIDE)


def _findings(annotation: Annotation, source: str) -> list[Finding]:
    """What a model finds, without the commas and colons at its ends, which models are careless about."""
    found = []
    for span in annotation["spans"]:
        text: str = span["text"]
        start = span["start"] + len(text) - len(text.lstrip(_EDGES))
        end = span["end"] - len(text) + len(text.rstrip(_EDGES))
        if start < end:
            found.append(Finding(start, end, _entity(span["label"]), span["score"], source, checked=False, learnt=True))
    return found


def _entity(label: str) -> str:
    """A model's label under Presidio's name for it. Single tokens still have their ``B-`` or ``I-``."""
    name = label.upper()
    name = name[2:] if name.startswith(("B-", "I-")) else name
    return _NAMES.get(name, name)
