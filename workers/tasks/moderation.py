"""``moderation``: what is wrong with a text, by label, against thresholds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import CLEAN, TAXONOMIES
from schemas.pipeline.tasks import ModerationTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import merge_windows, numbers

DEFAULT_THRESHOLD = 0.5
_SAYS_NOTHING = re.compile(r"LABEL_\d+")


class Moderation(Task):
    """Every label with its score, flagged from its threshold on (``score >= threshold``); the highest first.

    - A head whose labels exclude each other, one of them meaning "nothing found" (``CLEAN``), gets a
      softmax; any other one sigmoid per label. The clean label is left out of the annotation.
    - ``taxonomy`` names the labels. Where several of the model's share a name, the highest score
      stands for them, and the name is flagged if any of them is.
    - A label's threshold: the pipeline file's for it (by the model's name, or by the taxonomy's), the
      file's ``default``, the head's own calibrated one, 0.5.
    """

    head_kind = "sequence"

    def __init__(self, config: ModerationTask, head: HeadInfo) -> None:
        """Raises ModelError when no label of the head can be flagged, or when the pipeline file names
        labels that the head does not have."""
        super().__init__(config, head)
        self._merge = config.merge
        names = self._names(config, head)
        clean = [label.lower() in CLEAN or names[label].lower() in CLEAN for label in head.labels]
        flaggable = [label for label, is_clean in zip(head.labels, clean, strict=True) if not is_clean]
        if not flaggable:
            raise self._unfit(config, "has no label that could be flagged")
        self._softmax = any(clean) and not head.multi_label
        thresholds = self._thresholds(config, head, flaggable, names)
        self._columns = [
            (index, names[label], thresholds[label]) for index, label in enumerate(head.labels) if label in thresholds
        ]

    def activation(self) -> Activation:
        return "softmax" if self._softmax else "sigmoid"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        values = numbers(merge_windows(reading.windows, reading.scores, self._merge))
        found: dict[str, tuple[float, bool]] = {}
        for index, name, threshold in self._columns:
            score = values[index]
            highest, flagged = found.get(name, (0.0, False))
            found[name] = (max(highest, score), flagged or score >= threshold)
        ranked = sorted(found.items(), key=lambda entry: entry[1][0], reverse=True)
        return {
            "flagged": any(flagged for _, flagged in found.values()),
            "labels": [{"label": name, "score": score, "flagged": flagged} for name, (score, flagged) in ranked],
        }

    def _names(self, config: ModerationTask, head: HeadInfo) -> dict[str, str]:
        """The head's labels -> the annotation's."""
        taxonomy = config.taxonomy
        if isinstance(taxonomy, dict):
            self._require_known(config, taxonomy, head.labels, "taxonomy")
            return {label: taxonomy.get(label, label) for label in head.labels}
        if not head.multi_label and len(head.labels) > 1 and all(map(_SAYS_NOTHING.fullmatch, head.labels)):
            raise self._unfit(
                config, "does not say what its labels mean; name them with "
                'taxonomy: {LABEL_0: clean, LABEL_1: toxicity}, "clean" being the one that is never flagged'
            )  # fmt: skip
        names = TAXONOMIES.get(taxonomy, {})
        return {label: names.get(label.lower().replace(" ", "_"), label) for label in head.labels}

    def _thresholds(
        self, config: ModerationTask, head: HeadInfo, flaggable: list[str], names: dict[str, str]
    ) -> dict[str, float]:
        """The threshold of each of the head's labels that can be flagged."""
        if isinstance(config.threshold, float):
            return dict.fromkeys(flaggable, config.threshold)
        asked = config.threshold or {}
        known = dict.fromkeys([*flaggable, *(names[label] for label in flaggable)])
        self._require_known(config, asked.keys() - {"default"}, known, "threshold")
        otherwise = dict.fromkeys(flaggable, DEFAULT_THRESHOLD) | (head.thresholds or {})
        if "default" in asked:
            otherwise = dict.fromkeys(flaggable, asked["default"])
        return {label: asked.get(label, asked.get(names[label], otherwise[label])) for label in flaggable}

    def _require_known(
        self, config: ModerationTask, asked: Iterable[str], known: Collection[str], setting: str
    ) -> None:
        for label in sorted(asked):
            if label not in known:
                near = difflib.get_close_matches(label, known, n=1)
                hint = f', did you mean "{near[0]}"?' if near else ";"
                raise self._unfit(
                    config, f'has no label "{label}" to give a {setting}{hint} it has: {", ".join(known)}'
                )

    @staticmethod
    def _unfit(config: ModerationTask, reason: str) -> ModelError:
        return ModelError(f'task "{config.name}": model "{config.model}" {reason}')
