"""``pii``: finds personal data by checked patterns, by a model, or by both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES, PERSONAL
from schemas.pipeline.tasks import PiiTask
from schemas.pipeline.wording import did_you_mean
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.pii.fields import in_cells, without_field_names
from workers.pii.learnt import looks_right, trimmed, with_titles, with_whole_addresses
from workers.pii.overlaps import fill, remains, resolve, without_crossing
from workers.pii.postal import with_addresses_in_cells, with_postal_addresses
from workers.pii.presidio import load_recognizers
from workers.pii.recognizers import Finding, Recognizers, known_entities
from workers.pii.wholes import with_whole_dates, with_whole_names
from workers.tasks.base import Task
from workers.tasks.parts import cut
from workers.tasks.scores import DECIMALS, minimum_scores
from workers.tasks.spans import Spans

_NAMES = {
    **ENTITIES, **PERSONAL, "GPE": "LOCATION", "FAC": "LOCATION", "NORP": "NRP", "DATE": "DATE_TIME",
    "TIME": "DATE_TIME", "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER",
}  # fmt: skip
"""Labels of common models -> Presidio's entities, after its NerModelConfiguration. Others are kept, in capitals."""
_IMPERSONAL = frozenset({
    "CARDINAL", "EVENT", "LANGUAGE", "LAW", "MISC", "MONEY", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "WORK_OF_ART",
})  # fmt: skip
"""Labels of OntoNotes and CoNLL that identify nobody, left out unless asked for; Presidio always leaves them out."""
DEFAULT_THRESHOLD = 0.5
_NAMED = frozenset({"LOCATION", "ORGANIZATION", "PERSON", "STREET_ADDRESS"})
"""What keeps the rest of a finding if a number takes a part of it."""
_ON_SEVERAL_LINES = frozenset({"ADDRESS", "PRIVATE_ADDRESS", "STREET_ADDRESS"})
"""Labels of models whose spans may continue after a line break."""


class Pii(Task):
    """Finds personal data by patterns and in the spans of other tasks.

    The spans have Presidio's entity names, and none overlaps another. Findings with at least the threshold's score
    compete as ``workers.pii.overlaps.resolve`` describes.
    """

    def __init__(self, config: PiiTask, head: HeadInfo) -> None:
        """Compile the patterns.

        Raises ModelError if the patterns' libraries are missing, the file of recognisers cannot be used, nothing finds
        one of the entities asked for, or a region is unknown.
        """
        super().__init__(config, head)
        self._minimum = minimum_scores(config.threshold, DEFAULT_THRESHOLD)
        self._others = config.spans or []
        extra = [] if config.recognizers is None else load_recognizers(Path(config.recognizers))
        patterned = {*known_entities(), *(recognizer.entity for recognizer in extra)}
        named = set(self._named())
        asked = set(config.entities or ())
        thresholds = config.threshold.keys() - {"default"} if isinstance(config.threshold, dict) else set[str]()
        self._entities = frozenset(asked) or None
        unknown = sorted((asked | thresholds) - patterned - named)
        # The labels of other tasks' models are not known here.
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
        """Return the spans in ``document.text``; needs the annotations of the tasks named in ``spans``."""
        return self._resolved(document, ())

    def reference(self) -> dict[str, str] | None:
        """Return this package and its version as the model."""
        return {"model": "glossator.pii", "revision": version("glossator")}

    def _is_wanted(self, label: str) -> bool:
        return label not in _IMPERSONAL if self._entities is None else label in self._entities

    def _named(self) -> Iterable[str]:
        """The entities a model finds."""
        return ()

    def _resolved(self, document: Document, more: Iterable[Finding], pieces: Iterable[Finding] = ()) -> Annotation:
        """The annotation of what patterns and other tasks find, together with ``more``.

        ``pieces``: what some of ``more`` were joined from. They take the place of those that lose against a pattern.
        """
        text = document.text
        borrowed = _looking_right(
            (each for name in self._others for each in _findings(document.annotations[name], text, name)), text
        )
        more = self._kept(document, more)
        patterned = self._kept(document, (*self._recognizers.find(text), *borrowed))
        resolved = resolve([*patterned, *without_crossing(more, patterned)])
        resolved = fill(resolved, self._kept(document, pieces))
        names = (finding for finding in more if finding.label in _NAMED)
        resolved = fill(resolved, _tidied(remains(resolved, names, text), text))
        spans: list[dict[str, Any]] = [
            {
                "start": finding.start, "end": finding.end, "label": finding.label,
                "score": round(finding.score, DECIMALS), "text": text[finding.start : finding.end],
            }
            for finding in resolved
        ]  # fmt: skip
        return {"spans": spans}

    def _kept(self, document: Document, findings: Iterable[Finding]) -> list[Finding]:
        """Return those of ``findings`` that are asked for and have at least their threshold, within the texts."""
        return [
            finding
            for finding in _within(document, findings)
            if finding.score >= self._minimum(finding.label) and self._is_wanted(finding.label)
        ]


class PiiByModel(Pii):
    """Finds also what has no pattern, such as names, places and organisations, by a token classifier.

    What it finds is tidied as ``workers.pii.learnt`` describes; forms of address become titles only if it knows titles.
    """

    head_kind = "token"

    def __init__(self, config: PiiTask, head: HeadInfo) -> None:
        """Take the labels from ``head``. Raises ModelError as ``Pii`` does, and for a head without the label ``O``."""
        minimum = minimum_scores(config.threshold, DEFAULT_THRESHOLD)
        self._spans = Spans(
            config, head, lambda label: minimum(_entity(label)), lambda label: _bare(label) in _ON_SEVERAL_LINES
        )
        named = set(self._named())
        self._knows_titles, self._knows_addresses = "TITLE" in named, "STREET_ADDRESS" in named
        # Other tasks' spans and the file of recognisers can change while text and settings stay the same.
        self.cacheable = config.spans is None and config.recognizers is None
        super().__init__(config, head)

    def activation(self) -> Activation:
        """Return how the classifier's logits become probabilities."""
        return self._spans.activation()

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the spans that patterns, other tasks and the classifier find; ``readings`` are the classifier's."""
        text = document.text
        findings = _findings(self._spans.annotate(document, readings), text, "model")
        findings = with_whole_dates(with_whole_names(findings, text), text)
        findings = in_cells(findings, text)
        if self._knows_addresses:
            findings = with_postal_addresses(with_addresses_in_cells(findings, text), text)
        if self._knows_titles:
            findings = with_titles(findings, text)
        wanted = [finding for finding in findings if self._is_wanted(finding.label)]
        # A part of an address, such as a postcode, may look wrong alone.
        whole = _looking_right(with_whole_addresses(wanted, text), text)
        return self._resolved(document, whole, _looking_right(wanted, text))

    def reference(self) -> dict[str, str] | None:
        """Return None: the checkpoint is the model."""
        return None

    def _named(self) -> Iterable[str]:
        return map(_entity, self._spans.labels)


def _within(document: Document, findings: Iterable[Finding]) -> Iterable[Finding]:
    """``findings``, cut at the boundaries of the document's texts: uncut they would hide what is in a single text."""
    parts = document.parts
    if parts is None:
        return findings
    return (
        finding
        if (start, end) == (finding.start, finding.end)
        else replace(finding, start=start, end=end, checked=False)
        for finding in findings
        for start, end, _ in cut(finding.start, finding.end, document.text, parts)
    )


def _findings(annotation: Annotation, text: str, source: str) -> list[Finding]:
    """The spans of a model; they are in ``text``."""
    return _tidied(
        (
            Finding(
                span["start"], span["end"], _entity(span["label"]), span["score"], source, checked=False, learnt=True
            )
            for span in annotation["spans"]
        ),
        text,
    )


def _tidied(findings: Iterable[Finding], text: str) -> list[Finding]:
    """``findings`` without the names of fields and the commas at their ends, if anything is left of them."""
    return [
        tidy
        for finding in findings
        if (bare := without_field_names(finding, text)) is not None and (tidy := trimmed(bare, text)) is not None
    ]


def _looking_right(findings: Iterable[Finding], text: str) -> list[Finding]:
    return [finding for finding in findings if looks_right(finding, text)]


def _entity(label: str) -> str:
    """Presidio's name for a model's label."""
    name = _bare(label)
    return _NAMES.get(name, name)


def _bare(label: str) -> str:
    """A model's label in capitals, without the ``B-`` or ``I-`` that it has if spans are single tokens."""
    name = label.upper()
    return name[2:] if name.startswith(("B-", "I-")) else name
