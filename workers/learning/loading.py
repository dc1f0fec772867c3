"""Labelled texts from a file, from decisions in a topic, or from both: checked one by one, then all together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.pipeline.wording import did_you_mean, suggest
from workers.learning.decisions import Decisions
from workers.learning.examples import FIELD, Example, Labelled, Task, canonical, normalised, parse_example
from workers.learning.labelstudio import is_export, read_export
from workers.learning.rows import Mistakes, Row, read_rows

MOST_LABELS = 1000
_MOST_LISTED = 20
"""The most labels that a message lists."""


@dataclass(frozen=True)
class Sources:
    """Where labelled texts come from; ``file`` or ``decisions`` is needed.

    - ``file``: JSON lines, or Label Studio's JSON export. It may be a pipe; it is read once.
    - ``control``: the name of a Label Studio control, if several have results of the right kind.
    - ``decisions``: those of reviewers, read completely. Of equal texts the latest decision counts, also against the
      file.
    - ``known``: the labels that texts may have; empty for any.
    - ``skip_bad``: whether rows that cannot be used are left out and counted, instead of being mistakes.
    """

    file: Path | None = None
    control: str | None = None
    decisions: Decisions | None = None
    known: tuple[str, ...] = ()
    skip_bad: bool = False

    @property
    def name(self) -> str:
        """What messages about all texts call their source."""
        names = [] if self.file is None else [str(self.file)]
        return " and ".join(names + ([] if self.decisions is None else [self.decisions.topic]))


def load_examples(sources: Sources, task: Task) -> Labelled:
    """Load and check labelled texts for ``task``.

    Raises:
        LabelsError: with all mistakes, none of which quotes a text.
    """
    mistakes, notes, unlabelled = Mistakes(), [], 0
    rows: list[Row] = []
    if sources.file is not None:
        content = sources.file.read_bytes()
        if is_export(content):
            rows, unlabelled = read_export(sources.file, content, task, sources.control, mistakes)
        else:
            rows = read_rows(sources.file, content, mistakes)
    parsed = _parse(rows, task, mistakes)
    examples = _without_repeats(parsed, task, mistakes)
    if (decisions := sources.decisions) is not None:
        first = max((row.number for row in rows), default=0) + 1
        decided = _parse(decisions.rows(first, mistakes), task, mistakes)
        parsed += decided
        examples, contradictions = _with_decisions(examples, decided, task)
        notes = [decisions.summary(), *contradictions]
        mistakes.cure_from = first
        mistakes.cure = "decide about these events again: the last decision counts; or leave them out with --skip-bad"
    repeated = len(parsed) - len(examples)
    examples, known = _normalize_labels(examples, task, sources.known)
    bad = mistakes.forgive() if sources.skip_bad else 0
    while True:
        _check_labels(sources.name, examples, task, mistakes, known=known, complete=not mistakes.entries)
        wrong = mistakes.numbers if sources.skip_bad else set()
        if not wrong:
            break
        examples = [example for example in examples if example.row.number not in wrong]
        bad += mistakes.forgive()
    mistakes.raise_if_any()
    if bad:
        notes.append(f"{bad:,} rows that cannot be used were left out (--skip-bad)")
    labels = tuple(sorted({label for example in examples for label in example.named}))
    return Labelled(task, labels, examples, repeated, unlabelled, tuple(notes))


def _parse(rows: Iterable[Row], task: Task, mistakes: Mistakes) -> list[Example]:
    return [example for row in rows if (example := parse_example(row, task, mistakes)) is not None]


def _identity(example: Example, task: Task) -> str:
    # Spans are offsets, so they can only be compared in identical texts.
    return example.text if task == "ner" else normalised(example.text)


def _without_repeats(examples: Sequence[Example], task: Task, mistakes: Mistakes) -> list[Example]:
    """Return the first example of every text; equal texts with different labels are a mistake."""
    first: dict[str, Example] = {}
    for example in examples:
        known = first.setdefault(_identity(example, task), example)
        if (known.labels, known.spans) != (example.labels, example.spans):
            place = known.row.place.removeprefix(example.row.place.rstrip("0123456789")).strip()
            aside = "" if known.text == example.text else " except for case or white space"
            mistakes.add(example.row, f"the same text{aside} as in row {place}, with another label; keep one of them")
    return list(first.values())


def _with_decisions(
    examples: Sequence[Example], decided: Sequence[Example], task: Task
) -> tuple[list[Example], list[str]]:
    """Return ``examples`` with ``decided``, which are in the order of time, and what to tell about contradictions."""
    texts = {_identity(example, task): example for example in examples}
    in_file = len(texts)
    of_file = {id(example) for example in examples}
    counts: Counter[str] = Counter()
    for example in decided:
        key = _identity(example, task)
        known = texts.get(key)
        if known is not None and (known.labels, known.spans) != (example.labels, example.spans):
            counts["of the file" if id(known) in of_file else "of another decision"] += 1
        texts[key] = example
    notes = [
        f"{count:,} {'decision contradicts' if count == 1 else 'decisions contradict'} the label {which} "
        "for the same text: the latest decision counts"
        for which, count in counts.items()
    ]
    if in_file:
        notes.append(f"{in_file:,} texts of the file, {len(texts) - in_file:,} more from decisions")
    return list(texts.values()), notes


def _normalize_labels(
    examples: Sequence[Example], task: Task, known: Sequence[str]
) -> tuple[list[Example], frozenset[str]]:
    """Return the examples and the known labels with labels as the task spells them."""
    names = canonical(task, sorted({*known, *(label for example in examples for label in example.named)}))
    spelled = [
        Example(
            example.row, example.text, tuple(sorted({names[label] for label in example.labels})),
            tuple((start, end, names[label]) for start, end, label in example.spans),
        )
        for example in examples
    ]  # fmt: skip
    return spelled, frozenset(names[label] for label in known)


def _check_labels(
    source: str, examples: Sequence[Example], task: Task, mistakes: Mistakes, *, known: frozenset[str], complete: bool
) -> None:
    """Add the mistakes that only all rows together show.

    ``known`` are the labels that rows may have; empty for any. ``complete`` tells that no row was left out because of a
    mistake; otherwise nothing is reported as missing, and a rare label only if it resembles a frequent one.
    """
    texts = Counter(label for example in examples for label in example.named)
    _check_known(examples, mistakes, known)
    spellings: dict[str, str] = {}
    for label in sorted(texts):
        other = spellings.setdefault(label.casefold(), label)
        if other != label and not known:
            pair = f"{_quoted(other)} and {_quoted(label)}"
            mistakes.add(None, f"{source}: labels {pair} differ only in case; choose one")
    if len(texts) > MOST_LABELS:
        mistakes.add(None, f"{source}: {len(texts):,} labels, the limit is {MOST_LABELS:,}; are these the texts?")
        return
    frequent = [label for label in sorted(texts) if texts[label] > 1]
    for example in examples:
        for label in sorted(example.named):
            near = did_you_mean(label, frequent)
            if texts[label] == 1 and (not known or label in known) and (complete or near):
                # A single label is not quoted: if text and label were swapped, it is a text.
                which = "its label" if FIELD[task] == "label" else f"label {_quoted(label)}"
                cure = f" others are {_listed(frequent)}" if near else "; label more texts with it or leave it out"
                mistakes.add(example.row, f"{which} occurs only in this row{near}{cure}")
    if not complete:
        return
    if task in ("ner", "moderation"):
        if not texts:
            mistakes.add(None, f"{source}: no row has a label, so there is nothing to learn")
    elif not texts:
        mistakes.add(None, f"{source}: it contains no labelled text")
    elif len(texts) < 2:
        mistakes.add(None, f"{source}: all texts have the same label; {task} needs two or more to choose from")


def _check_known(examples: Sequence[Example], mistakes: Mistakes, known: frozenset[str]) -> None:
    """Add a mistake for each label of a row that is not among ``known``, unless that is empty."""
    names = _listed(sorted(known))
    for example in examples if known else ():
        for label in sorted(example.named - known):
            near = suggest(label, known)
            # What does not resemble a known label may be a text.
            which = f'unknown label {_quoted(label)}, did you mean "{near}"?' if near else "unknown label;"
            mistakes.add(example.row, f"{which} known are {names}")


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _MOST_LISTED} more" if len(labels) > _MOST_LISTED else ""
    return ", ".join(labels[:_MOST_LISTED]) + more


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)
