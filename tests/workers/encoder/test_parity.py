"""Every task on every family equals plain transformers, and the page's table has a figure for each."""

from __future__ import annotations

import math
import re

import pytest

from tests.workers import tiny
from tests.workers.encoder import parity, parity_table
from tests.workers.encoder.parity import BOUND, COLUMNS, EVENTS, ROWS, WITHOUT_SCORES
from tests.workers.encoder.parity_references import read
from tests.workers.families import slow_but_for_some

FAMILIES = [family for families in COLUMNS.values() for family in families]
every_family = pytest.mark.parametrize("family", slow_but_for_some(FAMILIES))


# What a family computes, its trunk, is compared in test_trunk.py; what tasks make of it is the same for all families.
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("family", slow_but_for_some(FAMILIES, fast=("bert",)))
def test_a_task_says_what_transformers_says(family: str, row: str) -> None:
    assert parity.cell(row, family) < BOUND


@pytest.mark.slow
def test_there_is_something_to_compare() -> None:
    """Over all families: each run trains different tokenizers, and sometimes one family annotates little."""
    runs = [parity.run(family).annotations for family in FAMILIES]
    for row, entries in ROWS.items():
        for n in range(len(entries)):
            by_run = [[annotations[parity.name_of(row, n)] for annotations in made] for made in runs]
            different = sum(len({str(annotation) for annotation in made}) for made in by_run)
            assert different >= len(FAMILIES) * len(EVENTS) // 2, row
            if row not in WITHOUT_SCORES:
                numbers = sum(
                    by == 0
                    for made in by_run
                    for annotation in made
                    for _, by in parity.differences(annotation, annotation)
                )
                assert numbers >= len(FAMILIES) * len(EVENTS), row
    everything = [annotations for made in runs for annotations in made]
    for name in ("ner_0", "ner_1", "pos_0", "pii_0"):
        assert sum(len(annotations[name]["spans"]) for annotations in everything) > 10 * len(FAMILIES)
    assert sum(len(annotations["coreference_0"]["clusters"]) for annotations in everything) > 4 * len(FAMILIES)
    assert {annotations["similarity_2"]["duplicate_of"] is None for annotations in everything} == {True, False}


@every_family
def test_all_tasks_share_one_trunk_and_long_texts_are_windows(family: str) -> None:
    stages = parity.run(family).chain.stages
    (trunk,) = {id(stage.trunk): stage.trunk for stage in stages}.values()
    assert trunk.packed == (family in tiny.PACKED)
    folder = parity.checkpoint(family, "tone")
    windows = sorted(len(read(folder, "sequence", event.text)) for event in EVENTS)
    assert windows[0] == 1
    assert windows[-2] >= 2
    assert windows[-1] >= 3


def test_a_difference_is_found_wherever_it_is() -> None:
    annotation = {"spans": [{"start": 1, "label": "a", "score": 0.5}], "score": None}
    assert all(by == 0 for _, by in parity.differences(annotation, annotation))
    for changed, by in [
        ({"spans": [{"start": 1, "label": "a", "score": 0.75}], "score": None}, 0.25),
        ({"spans": [{"start": 2, "label": "a", "score": 0.5}], "score": None}, math.inf),
        ({"spans": [{"start": 1, "label": "b", "score": 0.5}], "score": None}, math.inf),
        ({"spans": [], "score": None}, math.inf),
        ({"spans": [{"start": 1, "label": "a", "score": 0.5}], "score": 0.0}, math.inf),
        ({"spans": [{"start": 1, "label": "a", "score": 0.5}]}, math.inf),
    ]:
        assert max(difference for _, difference in parity.differences(annotation, changed)) == by


def test_figures_are_rounded_up() -> None:
    wanted = {5.1e-7: "6e-7", 5e-6: "5e-6", 9.5e-7: "1e-6", 1e-6: "1e-6", 0.4: "4e-1", 0.0: "0"}
    assert {difference: parity_table.figure(difference) for difference in wanted} == wanted


def test_the_page_has_every_task_and_family_and_no_figure_above_the_bound() -> None:
    _, inner, _ = parity_table.between(parity_table.PAGE.read_text())
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in inner.splitlines() if line.startswith("|")
    ]
    assert head == ["Task", *COLUMNS]
    assert [row[0] for row in rows] == list(ROWS)
    for name, *cells in rows:
        assert len(cells) == len(COLUMNS)
        for cell in cells:
            if name in WITHOUT_SCORES:
                assert cell == parity_table.EQUAL
            else:
                assert re.fullmatch(r"0|\de-\d+", cell)
                assert float(cell) <= BOUND
