"""Which old score is compared with which new one, and at which threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.pipeline.wording import did_you_mean
from workers.learning.rows import Mistakes
from workers.learning.score_rows import ScoreRow, named


class Names(NamedTuple):
    """What the command line says of attributes.

    - ``thresholds``: attribute -> its old threshold; under None that of all others, if there is one.
    - ``renamed``: attribute -> its name in the new scores, if it has another one.
    """

    thresholds: Mapping[str | None, float]
    renamed: Mapping[str, str]

    def new(self, name: str) -> str:
        """Return the name of an attribute in the new scores."""
        return self.renamed.get(name, name)


def thresholds_by_name(rows: Sequence[ScoreRow], names: Names, mistakes: Mistakes) -> dict[str, float]:
    """Return attribute -> old threshold, for those that have one.

    Names of the command line that no old score has, and labels that are no attributes, are added to ``mistakes``.
    """
    known = _all(row.old for row in rows)
    if not known:
        return {}  # there are other mistakes then
    for option, chosen in (("--threshold", names.thresholds), ("--map", names.renamed)):
        for name in chosen:
            if name is not None and name not in known:
                mistakes.add(None, f"{option} {named(name)}: no row has such an old score{_hint(name, known)}")
    for row in rows:
        for label in sorted((row.labels or frozenset()) - known.keys()):
            mistakes.add(row.row, f'"labels", {named(label)}: no row has such an old score{_hint(label, known)}')
    default = names.thresholds.get(None)
    thresholds = {name: names.thresholds.get(name, default) for name in known}
    return {name: threshold for name, threshold in thresholds.items() if threshold is not None}


def pair_names(
    rows: Sequence[ScoreRow], wanted: Mapping[str, float], names: Names, mistakes: Mistakes
) -> dict[str, str]:
    """Return attribute -> its name in the new scores, for those of ``wanted`` that have new scores.

    Added to ``mistakes``: an attribute that the command line names and that has none, that no attribute has both
    scores, and rows that have nothing to compare.
    """
    new = _all(row.new for row in rows)
    pairs = {name: names.new(name) for name in wanted if names.new(name) in new}
    if not new:
        return pairs
    for name in wanted:
        if name not in pairs and (name in names.thresholds or name in names.renamed):
            hint = _hint(names.new(name), new)
            mistakes.add(
                None,
                f"{named(name)}: no row has a new score {named(names.new(name))}{hint}; "
                "name it with --map, or name no threshold for it",
            )
    if wanted and not pairs and not (names.renamed or names.thresholds.keys() - {None}):
        mistakes.add(
            None, f"no attribute has both scores: old are {_listed(wanted)}, new are {_listed(new)}; see --map"
        )
    for row in rows if pairs else ():
        if row.old and row.new and not any(name in row.old and label in row.new for name, label in pairs.items()):
            mistakes.add(row.row, "no attribute has both an old and a new score")
    return pairs


def _all(scores: Iterable[Mapping[str, float]]) -> dict[str, None]:
    """Return the names of all scores, in the order in which they first occur."""
    return {name: None for each in scores for name in each}


def _hint(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(name, known) or f", only {_listed(known)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(named(name).strip('"') for name in names)
