"""The card of a trained pack: what it learnt from, how good it is, how to use it. Holds no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workers.learning.examples import Example, Labelled
from workers.learning.metrics import Metric
from workers.learning.splits import SPLITS, Split


@dataclass
class Result:
    """What a training came to.

    - ``own``, ``other``: metrics on the test split, of the new head and of the one in use; the latter may be empty.
    - ``against``: the model whose head that is; ``why_not``: why there are no metrics of it.
    - ``reached``: per label of moderation, whether the asked precision was reached on dev.
    """

    folder: Path
    trunk: str
    adapted: bool
    labelled: Labelled
    parts: Mapping[Split, Sequence[Example]]
    dev_loss: float = 0.0
    temperature: float = 1.0
    aggregation: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, bool] = field(default_factory=dict)
    precision: float = 0.9
    seed: int = 0
    own: list[Metric] = field(default_factory=list)
    other: list[Metric] = field(default_factory=list)
    against: str = ""
    why_not: str = ""


def interval(metric: Metric | None) -> str:
    """``0.87 [0.84, 0.90]``; a dash where there was nothing to count."""
    if metric is None or metric.value != metric.value:
        return "-"
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def card(result: Result) -> str:
    labelled, task = result.labelled, result.labelled.task
    lines = [
        f"# A {task} head",
        "",
        f"Trained with `glossator train` on {len(labelled.examples):,} labelled texts; trunk: {result.trunk}"
        + (", with a low-rank adapter of its own." if result.adapted else ", frozen: its forward is shared."),
        "",
        "## Use",
        "",
        "```yaml",
        "tasks:",
        "  - name: mine",
        f"    task: {task}",
        f"    model: {result.folder.absolute().name}      # the path of this folder",
        *(["    taxonomy: model"] if task == "moderation" else []),
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
    lines += ["", "Counts are of texts. Splits are decided by a hash of the text, so that equal texts never cross."]
    if labelled.repeated:
        lines.append(f"{labelled.repeated:,} repeated texts were left out.")
    if labelled.unlabelled:
        lines.append(f"{labelled.unlabelled:,} tasks without an annotation were left out.")
    tested = len(result.parts["test"])
    lines += [
        "", "## Scores", "",
        f"On the test split, {tested:,} texts that nothing was learnt from or chosen by; 95 % bootstrap intervals.",
        "", *_table(result), "", "## Settings", "",
    ]  # fmt: skip
    lines.append(f"- temperature {result.temperature:.3f}, found on dev; loss on dev {result.dev_loss:.4f}")
    if result.aggregation:
        lines.append(f"- word pieces are joined by `{result.aggregation}`, the best of four on dev")
    for label, value in result.thresholds.items():
        asked = f"precision {result.precision}"
        how = f"{asked} on dev" if result.reached[label] else f"best F1 on dev: {asked} was not reached"
        lines.append(f"- threshold of {label}: {value:.3f} ({how})")
    lines.append(f"- seed {result.seed}")
    return "\n".join(lines) + "\n"


def _table(result: Result) -> list[str]:
    others = {metric.name: metric for metric in result.other}
    if not others:
        rows = ["| metric | this head |", "|---|---|"]
        rows += [f"| {_cell(metric.name)} | {interval(metric)} |" for metric in result.own]
        return rows + (["", f"{result.why_not}."] if result.why_not else [])
    rows = [f"| metric | this head | {result.against} |", "|---|---|---|"]
    return rows + [
        f"| {_cell(metric.name)} | {interval(metric)} | {interval(others.get(metric.name))} |" for metric in result.own
    ]


def _cell(name: str) -> str:
    return name.replace("\\", "\\\\").replace("|", "\\|")
