"""How long ``glossator train`` takes for 1,000 labelled texts, against one pass of the bare trunk over them.

The texts are made up, so the scores mean nothing. The times do, as ratios within one run.

    python -m benchmarks.training --count 1000
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from rich.progress import Progress

from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.pipeline.config import Compute
from workers.learning.examples import Task
from workers.learning.loading import Sources, load_examples
from workers.learning.states import Kept
from workers.learning.train import Options, train
from workers.learning.trunks import make_windows, open_trunk

WORDS = (("good", "fine", "lovely"), ("bad", "poor", "nasty"))


WAYS: tuple[tuple[str, Task, bool], ...] = (
    ("sentiment, frozen", "sentiment", False), ("ner, frozen", "ner", False), ("sentiment, --adapt", "sentiment", True),
)  # fmt: skip


def labelled(folder: Path, count: int) -> Path:
    """Write posts, each with a word that determines its label and is the span to find."""
    chance = random.Random(0)
    rows = []
    for number, text in enumerate(texts_from(None, count)):
        words = text.split()[:60]
        place, word = chance.randint(0, len(words)), chance.choice(WORDS[number % 2])
        before = " ".join([str(number), *words[:place]]) + " "
        label, span = ("positive", "negative")[number % 2], (len(before), len(before) + len(word))
        rows.append({
            "text": " ".join([before + word, *words[place:]]), "label": label,
            "spans": [{"start": span[0], "end": span[1], "label": label.upper()}],
        })  # fmt: skip
    file = folder / "labels.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    figures: dict[str, float] = {"texts": float(options.count)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = labelled(folder, options.count)
        base = open_trunk("starter", Compute())
        windows = make_windows(base.stage, load_examples(Sources(file), "sentiment").examples)
        Kept(base.stage, windows, "sequence", folder)  # the first pass also warms up
        started = time.perf_counter()
        Kept(base.stage, windows, "sequence", folder)
        forward = time.perf_counter() - started
        figures["one reading, s"] = forward
        for number, (way, task, adapt) in enumerate(WAYS):
            started = time.perf_counter()
            with Progress(disable=True) as progress:
                result = train(Options(Sources(file), task, folder / f"pack{number}", adapt=adapt), progress)
            spent = time.perf_counter() - started
            figures |= {f"{way}, s": spent, f"{way} / one reading": spent / forward}
            figures[f"{way}, {result.metrics[0].name} on test"] = result.metrics[0].value
    report(
        "training", "glossator train (target: a frozen head from 1,000 texts in about a minute on two cores)", figures
    )


if __name__ == "__main__":
    main()
