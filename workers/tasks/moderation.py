"""``moderation``: flag a text by label, where a score reaches its threshold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import ModerationTask
from schemas.taxonomies import CLEAN, CLOSED, MENTIONS, TAXONOMIES, spelled
from workers.encoder.reading import Activation, HeadInfo, Input, Reading
from workers.tasks.base import Task
from workers.tasks.disguises import views
from workers.tasks.scores import merge_windows, numbers
from workers.tasks.sentences import sentences

DEFAULT_THRESHOLD = 0.5
_PLACEHOLDER = re.compile(r"LABEL_\d+")


class Moderation(Task):
    """Every label with its score, flagged if ``score >= threshold``; the highest score first.

    - If the head is not multi-label and has a label that means "nothing found" (``CLEAN``), scores are a softmax;
      otherwise a sigmoid per label. The clean label is left out of the annotation.
    - ``taxonomy`` renames the model's labels. If several get the same name, it has their highest score and is flagged
      if any of them is. A label that a closed taxonomy (``CLOSED``) has no name for is left out, and a name that no
      label of the model means is not in the annotation.
    - Labels that say whom a text mentions (``MENTIONS``) are left out unless ``taxonomy`` is ``model`` or a map.
    - What disguised words mean is read in addition to the text (``views``); the highest score of each label counts.
    - A label's threshold is the first of these: the one in the pipeline file (by the model's name, then by the
      taxonomy's), the file's ``default``, the head's calibrated one, 0.5.

    Attributes:
        labels: the names that its annotations can have.
        thresholds: name -> the score from which it is flagged, the lowest if several labels have the name.
    """

    head_kind = "sequence"
    first_decides = True

    def __init__(self, config: ModerationTask, head: HeadInfo) -> None:
        """Raises ModelError if no label can be flagged, or if the pipeline file names labels that the head lacks."""
        super().__init__(config, head)
        self._merge = config.merge
        self._sentences, self._max_unknown = config.sentences, config.max_unknown
        # A tokenizer that splits texts at symbols also reads styled letters as plain ones.
        self._cleaned = bool(head.symbols)
        wanted = self._cleaned if config.disguises is None else config.disguises
        self._disguises = wanted and config.long_text != "truncate"
        self.sequences = None if config.sentences else 1
        names = self._names(config, head)
        clean = {label for label in head.labels if CLEAN & {spelled(label), spelled(names.get(label, label))}}
        flaggable = [label for label in names if label not in clean]
        if not flaggable:
            raise self._unfit(config, self._nothing_to_flag(config, head))
        self._softmax = bool(clean) and not head.multi_label
        self.remarks = list(self._remarks(config, head, names, clean))
        thresholds = self._thresholds(config, head, flaggable, names)
        self._columns = [
            (index, names[label], thresholds[label]) for index, label in enumerate(head.labels) if label in thresholds
        ]
        self.labels = list(dict.fromkeys(name for _, name, _ in self._columns))
        self.thresholds = {
            name: min(threshold for _, other, threshold in self._columns if other == name) for name in self.labels
        }

    def activation(self) -> Activation:
        """Return "softmax" if the labels exclude each other and one of them is clean, else "sigmoid"."""
        return "softmax" if self._softmax else "sigmoid"

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return the text and, with ``sentences``, each of its sentences; behind each its views, if it has any."""
        text = document.text
        if not self._sentences:
            return self._read(text)
        spans = sentences(text, document.parts)
        return (*self._read(text), *(item for start, end in spans for item in self._read(text[start:end])))

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``flagged`` and the ``labels``, each with ``score`` and ``flagged``, the highest score first.

        With ``sentences``, also these, in the order of the text: with their scores, but without those that the model
        cannot read.
        """
        spans = sentences(document.text, document.parts) if self._sentences else []
        groups: list[Sequence[Reading]] = [readings]
        if self._sentences:
            left = iter(readings)
            texts = (document.text, *(document.text[start:end] for start, end in spans))
            groups = [list(islice(left, len(self._read(text)))) for text in texts]
        by_name = self._judged(groups[0])
        ranked = sorted(by_name.items(), key=lambda entry: entry[1][0], reverse=True)
        annotation: Annotation = {
            "flagged": any(flagged for _, flagged in by_name.values()),
            "labels": [{"label": name, "score": score, "flagged": flagged} for name, (score, flagged) in ranked],
        }
        if self._sentences:
            annotation["sentences"] = [
                _sentence(start, end, self._judged(group))
                for (start, end), group in zip(spans, groups[1:], strict=True)
                if group[0].unknown <= self._max_unknown
            ]
        return annotation

    def _read(self, text: str) -> tuple[str, ...]:
        """Return ``text`` and its views."""
        return (text, *views(text, cleaned=self._cleaned)) if self._disguises else (text,)

    def _judged(self, readings: Sequence[Reading]) -> dict[str, tuple[float, bool]]:
        """Return name -> (score, whether it is flagged), in the order of the head's labels.

        ``readings``: of a text and its views; the highest score of each label counts.
        """
        rows = [merge_windows(reading.windows, reading.scores, self._merge) for reading in readings]
        values = numbers(rows[0] if len(rows) == 1 else np.max(rows, axis=0))
        by_name: dict[str, tuple[float, bool]] = {}
        for index, name, threshold in self._columns:
            score = values[index]
            highest, flagged = by_name.get(name, (0.0, False))
            by_name[name] = (max(highest, score), flagged or score >= threshold)
        return by_name

    def _names(self, config: ModerationTask, head: HeadInfo) -> dict[str, str]:
        """Return the name in the annotation of each of the head's labels; those without one are left out."""
        taxonomy = config.taxonomy
        if isinstance(taxonomy, dict):
            self._require_known(config, taxonomy, head.labels, "taxonomy")
            return {label: taxonomy.get(label, label) for label in head.labels}
        if not head.multi_label and len(head.labels) > 1 and all(map(_PLACEHOLDER.fullmatch, head.labels)):
            raise self._unfit(
                config, "has labels without a meaning; name them with "
                'taxonomy: {LABEL_0: clean, LABEL_1: toxicity}, where "clean" is the one that is never flagged'
            )  # fmt: skip
        if taxonomy == "model":
            return {label: label for label in head.labels}
        names = TAXONOMIES[taxonomy]
        if taxonomy in CLOSED:
            return {label: names[spelled(label)] for label in head.labels if spelled(label) in names}
        kept = (label for label in head.labels if spelled(label) not in MENTIONS)
        return {label: names.get(spelled(label), label) for label in kept}

    @staticmethod
    def _nothing_to_flag(config: ModerationTask, head: HeadInfo) -> str:
        taxonomy = config.taxonomy
        if not isinstance(taxonomy, str) or taxonomy not in CLOSED:
            return "has no label that can be flagged"
        names = ", ".join(dict.fromkeys(TAXONOMIES[taxonomy].values()))
        has = ", ".join(head.labels)
        return f"has no label with a counterpart in taxonomy {taxonomy} ({names}); it has: {has}. Write a map instead"

    @staticmethod
    def _remarks(
        config: ModerationTask, head: HeadInfo, names: dict[str, str], clean: Collection[str]
    ) -> Iterator[str]:
        taxonomy = config.taxonomy
        wanted = TAXONOMIES[taxonomy].values() if isinstance(taxonomy, str) and taxonomy in CLOSED else ()
        if absent := [name for name in dict.fromkeys(wanted) if name not in names.values()]:
            yield f"the model cannot give {', '.join(absent)}, so no event has them"
        if ignored := [label for label in head.labels if label not in names and label not in clean]:
            yield f"the model's labels {', '.join(ignored)} are left out"

    def _thresholds(
        self, config: ModerationTask, head: HeadInfo, flaggable: list[str], names: dict[str, str]
    ) -> dict[str, float]:
        """Return the threshold of each of the head's labels that can be flagged."""
        if isinstance(config.threshold, float):
            return dict.fromkeys(flaggable, config.threshold)
        configured = config.threshold or {}
        known = dict.fromkeys([*flaggable, *(names[label] for label in flaggable)])
        self._require_known(config, configured.keys() - {"default"}, known, "threshold")
        defaults = dict.fromkeys(flaggable, DEFAULT_THRESHOLD) | (head.thresholds or {})
        if "default" in configured:
            defaults = dict.fromkeys(flaggable, configured["default"])
        return {label: configured.get(label, configured.get(names[label], defaults[label])) for label in flaggable}

    def _require_known(
        self, config: ModerationTask, labels: Iterable[str], known: Collection[str], setting: str
    ) -> None:
        for label in sorted(labels):
            if label not in known:
                near = difflib.get_close_matches(label, known, n=1)
                hint = f', did you mean "{near[0]}"?' if near else ";"
                raise self._unfit(
                    config, f'has no label "{label}" to set a {setting} for{hint} it has: {", ".join(known)}'
                )

    @staticmethod
    def _unfit(config: ModerationTask, reason: str) -> ModelError:
        return ModelError(f'model "{config.model}" {reason}')


def _sentence(start: int, end: int, judged: Mapping[str, tuple[float, bool]]) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "flagged": any(flagged for _, flagged in judged.values()),
        "scores": {name: score for name, (score, _) in judged.items()},
    }
