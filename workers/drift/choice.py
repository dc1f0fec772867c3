"""Which reference each task of a pipeline is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.pipeline.config import Pipeline
from schemas.pipeline.ensembles import custom
from schemas.pipeline.event_schema import annotation_of
from schemas.pipeline.tasks import AnyTask
from schemas.taxonomies import keeps
from workers.drift.reference import Reference, parse_reference, read_references
from workers.drift.tally import KINDS

_DECISIVE: Mapping[str, Any] = {
    "threshold": (None, 0.0), "aggregation": (None,), "multi_label": (None,), "taxonomy": ("model",),
    "max_unknown": (0.5,), "unknown_text": ("notice",),
}  # fmt: skip
"""Settings that decide how annotations are distributed -> the values that ``glossator train`` measures with."""


@dataclass(frozen=True)
class Choice:
    """The references of a pipeline.

    - ``references``: task name -> the reference to compare with.
    - ``origins``: task name -> where it comes from, or why there is none; of all tasks, in the order of the file.
    """

    references: dict[str, Reference]
    origins: dict[str, str]


def choose_references(pipeline: Pipeline, packed: Mapping[str, Any]) -> Choice:
    """Choose from the file at ``telemetry.drift`` and, for tasks that it lacks, from their packs.

    Custom tasks, and ensembles of them, have none, because their labels may be texts. Nor has a task whose annotations
    are of another kind than those that its reference is about.

    ``packed``: task name -> the reference in the manifest of its pack, as it is there.

    Raises SettingError if the file cannot be used.
    """
    file = pipeline.telemetry.drift
    written = {} if file is None else read_references(Path(file))
    references: dict[str, Reference] = {}
    origins: dict[str, str] = {}
    unknown = custom([task.model_dump() for task in pipeline.tasks])
    for config in pipeline.tasks:
        name = config.name
        of_pack = parse_reference(packed.get(name))
        if config.shadow is not None:
            origins[name] = "a shadow, which no event shows"
        elif name in unknown:
            origins[name] = "no reference: the labels of a custom task may be texts"
        elif (present := written.get(name) or of_pack) and present.kind != KINDS.get(annotation_of(config)):
            place = str(file) if name in written else "its pack"
            origins[name] = f"no reference: that of {place} is about annotations of another kind, {present.kind}"
        elif name in written:
            references[name], origins[name] = written[name], f"{written[name].events:,} events of {file}"
        elif of_pack is None:
            origins[name] = "no reference"
        elif changed := _changed(config, of_pack):
            origins[name] = f"no reference: that of its pack was made with another {', '.join(changed)}"
        else:
            references[name], origins[name] = of_pack, f"{of_pack.events:,} texts that it was trained with"
    return Choice(references, origins)


def _changed(config: AnyTask, reference: Reference) -> list[str]:
    """Return the settings of a task that make its annotations differ from those of its pack's reference."""
    given = config.model_dump()
    if "taxonomy" in given and keeps(given["taxonomy"], {*reference.scores, *reference.labels}):
        del given["taxonomy"]
    return [name for name, expected in _DECISIVE.items() if name in given and given[name] not in expected]
