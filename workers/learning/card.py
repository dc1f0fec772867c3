"""The card of a trained pack: its data, its scores, and how to use it. It contains none of the texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.taxonomies import keeps
from workers.learning.examples import Example, Labelled
from workers.learning.metrics import Metric
from workers.learning.splits import SPLITS, Split


@dataclass
class Result:
    """The outcome of a training.

    - ``folder``: the pack; ``trunk``: the model it was trained on; ``adapted``: whether it has an adapter.
    - ``labelled``, ``parts``: the checked file, and its examples by split.
    - ``dev_loss``: the lowest loss on dev; ``temperature``: the calibrated divisor of the logits.
    - ``aggregation``: how word pieces are joined; None unless the task is ``ner``.
    - ``transitions``: whether the head has learnt which label follows which.
    - ``thresholds``: per label of moderation; ``reached``: whether it has the requested ``precision`` on dev.
    - ``seed``: of everything random.
    - ``metrics``, ``baseline``: metrics on the test split, of the new head and of the head of the model ``against``.
      The latter may be empty, or lack some labels; ``against_note`` then says why.
    """

    folder: Path
    trunk: str
    adapted: bool
    labelled: Labelled
    parts: Mapping[Split, Sequence[Example]]
    dev_loss: float = 0.0
    temperature: float = 1.0
    aggregation: str | None = None
    transitions: bool = False
    thresholds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, bool] = field(default_factory=dict)
    precision: float = 0.9
    seed: int = 0
    metrics: list[Metric] = field(default_factory=list)
    baseline: list[Metric] = field(default_factory=list)
    against: str = ""
    against_note: str = ""


def interval(metric: Metric | None) -> str:
    """Format a metric as ``0.870 [0.840, 0.900]``; "-" if there was nothing to count."""
    if metric is None or metric.value != metric.value:
        return "-"
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def suggested_taxonomy(labels: Iterable[str]) -> str:
    """Return "perspective" if all labels are attributes, so that the head can serve that shape; otherwise "model"."""
    return "perspective" if keeps("perspective", labels) else "model"


def card(result: Result) -> str:
    """Return the card of a trained pack as Markdown."""
    labelled, task = result.labelled, result.labelled.task
    lines = [
        f"# A {task} head",
        "",
        f"Trained with `glossator train` on {len(labelled.examples):,} labelled texts; trunk: {result.trunk}"
        + (", with its own low-rank adapter." if result.adapted else ", frozen: its forward is shared."),
        "",
        "## Use",
        "",
        "```yaml",
        "tasks:",
        "  - name: mine",
        f"    task: {task}",
        f"    model: {result.folder.absolute().name}      # the path of this folder",
        *([f"    taxonomy: {suggested_taxonomy(labelled.labels)}"] if task == "moderation" else []),
        "```",
        "",
        "## Data",
        "",
        "| label | " + " | ".join(SPLITS) + " |",
        "|---|" + "---:|" * len(SPLITS),
    ]
    for label in labelled.labels:
        counts = [sum(label in example.named for example in result.parts[name]) for name in SPLITS]
        lines.append(f"| {_cell(label)} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    lines.append("| texts | " + " | ".join(f"{len(result.parts[name]):,}" for name in SPLITS) + " |")
    lines += ["", "Counts are of texts. A hash of the text decides its split, so equal texts are never in two splits."]
    if labelled.repeated:
        lines.append(f"{labelled.repeated:,} repeated texts were left out.")
    if labelled.unlabelled:
        lines.append(f"{labelled.unlabelled:,} tasks without an annotation were left out.")
    lines += [f"{note[0].upper()}{note[1:]}." for note in labelled.notes]
    tested = len(result.parts["test"])
    lines += [
        "", "## Scores", "",
        f"On the test split, {tested:,} texts that were not used for training or tuning; 95 % intervals.",
        "", *_table(result), "", "## Settings", "",
    ]  # fmt: skip
    lines.append(f"- temperature {result.temperature:.3f}, fitted on dev; loss on dev {result.dev_loss:.4f}")
    if result.aggregation:
        lines.append(f"- word pieces are joined by `{result.aggregation}`, the best of four on dev")
        better = "words are labelled together, by which label follows which"
        lines.append(f"- {better if result.transitions else f'not used, because dev lost by it: {better}'}")
    for label, value in result.thresholds.items():
        asked = f"precision {result.precision}"
        how = f"{asked} on dev" if result.reached[label] else f"best F1 on dev: {asked} was not reached"
        lines.append(f"- threshold of {label}: {value:.3f} ({how})")
    lines.append(f"- seed {result.seed}")
    return "\n".join(lines) + "\n"


def _table(result: Result) -> list[str]:
    baseline = {metric.name: metric for metric in result.baseline}
    note = ["", f"{result.against_note[0].upper()}{result.against_note[1:]}."] if result.against_note else []
    if not baseline:
        rows = ["| metric | this head |", "|---|---|"]
        rows += [f"| {_cell(metric.name)} | {interval(metric)} |" for metric in result.metrics]
        return rows + note
    rows = [f"| metric | this head | {result.against} |", "|---|---|---|"]
    rows += [
        f"| {_cell(metric.name)} | {interval(metric)} | {interval(baseline.get(metric.name))} |"
        for metric in result.metrics
    ]
    return rows + note


def _cell(name: str) -> str:
    return name.replace("\\", "\\\\").replace("|", "\\|")
