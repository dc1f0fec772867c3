"""``moderation`` on our own short cases, by what each tests, and on disguised words, by disguise."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from training.measures.base import Bench, Measured, accuracy, measured, summed
from training.measures.metrics import ratio

OWN = "training.own_functional"


def moderation(bench: Bench) -> Iterator[Measured]:
    """Measure whether a text is flagged, by any label; nothing if the cases are missing."""
    if find_spec(OWN) is None:
        return
    cases = import_module(OWN)
    for name, chosen in (("own functional cases", [*cases.cases()]), ("own disguised cases", [*cases.disguised()])):
        results = bench.annotate({"task": "moderation"}, [case.text for case in chosen])
        wanted = np.array([case.flagged for case in chosen])
        right = np.array([result["flagged"] for result in results]) == wanted
        counts = np.stack([wanted & right, wanted, ~wanted & right, ~wanted], axis=1)
        yield measured("moderation", name, "balanced accuracy", summed(counts, balanced), len(chosen))
        for function in dict.fromkeys(case.function for case in chosen):
            of = np.array([case.function == function for case in chosen])
            answer = "flagged" if wanted[of].all() else "not flagged"
            yield accuracy("moderation", name, right[of], f"{function}, {answer}")


def balanced(flagged: float, to_flag: float, passed: float, to_pass: float) -> float:
    """Return the mean of the accuracies on what should be flagged and on what should not."""
    return (ratio(flagged, to_flag) + ratio(passed, to_pass)) / 2
