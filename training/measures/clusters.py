"""``coreference``: GAP's pronouns and names, and the three scores of the CoNLL-2012 shared task on LitBank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.document import Annotation
from training.measures.base import Bench, Measured, measured, summed
from training.measures.metrics import f_score, ratio

Mention: TypeAlias = tuple[int, int]
Clusters: TypeAlias = Sequence[frozenset[Mention]]
FEMININE = {"she", "her", "hers"}


def coreference(bench: Bench) -> Iterator[Measured]:
    yield from _gap(bench)
    yield from _litbank(bench)


def _gap(bench: Bench) -> Iterator[Measured]:
    """Count as GAP's scorer: each name is positive or negative, so a text has two (Webster et al. 2018, section 4)."""
    examples = bench.read("coref/gap.test")
    results = bench.annotate({"task": "coreference"}, [example["text"] for example in examples])
    exact, loose, blind = [], [], []
    for example, result in zip(examples, results, strict=True):
        cluster = around(clusters_of(result), tuple(example["pronoun"]))
        names, gold = (tuple(example["a"]), tuple(example["b"])), (example["a_coref"], example["b_coref"])
        exact.append(_counts([name in cluster for name in names], gold))
        overlaps = [any(start < name[1] and name[0] < end for start, end in cluster) for name in names]
        loose.append(_counts(overlaps, gold))
        blind.append(_counts((True, True), gold))
    counts, feminine = np.array(exact), np.array([_pronoun(example) in FEMININE for example in examples])
    by_gender = np.hstack([counts * ~feminine[:, None], counts * feminine[:, None]])

    def line(metric: str, rows: ArrayLike, formula: Callable[..., float], of: str = "") -> Measured:
        return measured("coreference", "gap.test", metric, summed(rows, formula), len(np.asarray(rows)), of=of)

    yield line("F1", counts, f_score)
    yield line("precision", counts, lambda hits, predicted, gold: ratio(hits, predicted))
    yield line("recall", counts, lambda hits, predicted, gold: ratio(hits, gold))
    yield line("F1", counts[~feminine], f_score, "masculine")
    yield line("F1", counts[feminine], f_score, "feminine")
    yield line("bias (feminine / masculine F1)", by_gender, _bias)
    yield line("F1", loose, f_score, "where a span that overlaps the name is enough")
    # Nearly half of the names are right, so recall alone gives a high score.
    yield line("F1", blind, f_score, "of linking every name")


def _litbank(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("coref/litbank.test")
    results = bench.annotate({"task": "coreference"}, [example["text"] for example in examples])
    predicted = [clusters_of(entry) for entry in results]
    gold = [[frozenset((a, b) for a, b in cluster) for cluster in example["clusters"]] for example in examples]
    linked = [[cluster for cluster in entry if len(cluster) > 1] for entry in gold]
    for of, truth in (("", linked), ("singletons of the gold count", gold)):
        table = [[*muc(*pair), *b_cubed(*pair), *ceaf(*pair)] for pair in zip(truth, predicted, strict=True)]
        yield measured("coreference", "litbank.test", "CoNLL F1", summed(table, conll), len(table), of=of)
        for at, name in enumerate(("MUC", "B³", "CEAFe")):
            part = np.array(table)[:, 4 * at : 4 * at + 4]
            yield measured("coreference", "litbank.test", f"{name} F1", summed(part, _f1), len(part), of=of)


def clusters_of(annotation: Annotation) -> list[frozenset[Mention]]:
    return [frozenset((span["start"], span["end"]) for span in cluster["spans"]) for cluster in annotation["clusters"]]


def around(predicted: Clusters, mention: Mention) -> frozenset[Mention]:
    """Return the cluster that contains ``mention``, or an empty one."""
    return next((cluster for cluster in predicted if mention in cluster), frozenset())


def _pronoun(example: dict[str, Any]) -> str:
    start, end = example["pronoun"]
    return str(example["text"][start:end]).lower()


def _counts(predicted: Sequence[bool], gold: Sequence[bool]) -> tuple[int, int, int]:
    return sum(a and b for a, b in zip(predicted, gold, strict=True)), sum(predicted), sum(gold)


def _bias(hits: float, predicted: float, gold: float, *feminine: float) -> float:
    return ratio(f_score(*feminine), f_score(hits, predicted, gold))


# The counts of a document are (recall's numerator and denominator, precision's numerator and denominator). These are
# added up over documents, as in the shared task's scorer (Pradhan et al. 2014).
Score: TypeAlias = tuple[float, float, float, float]


def muc(gold: Clusters, predicted: Clusters) -> Score:
    """Links: a cluster that is split into k parts lacks k - 1 links (Vilain et al. 1995)."""
    return *_links(gold, predicted), *_links(predicted, gold)


def _links(these: Clusters, others: Clusters) -> tuple[int, int]:
    owner = {mention: number for number, cluster in enumerate(others) for mention in cluster}
    kept = 0
    for cluster in these:
        parts = {owner[mention] for mention in cluster if mention in owner}
        kept += len(cluster) - len(parts) - sum(mention not in owner for mention in cluster)
    return kept, sum(len(cluster) - 1 for cluster in these)


def b_cubed(gold: Clusters, predicted: Clusters) -> Score:
    """Mentions: the share of a mention's cluster that is in its cluster on the other side (Bagga and Baldwin 1998)."""
    return *_mentions(gold, predicted), *_mentions(predicted, gold)


def _mentions(these: Clusters, others: Clusters) -> tuple[float, int]:
    shared = [(len(a & b), len(a)) for a in these for b in others]
    return sum(both**2 / size for both, size in shared), sum(map(len, these))


def ceaf(gold: Clusters, predicted: Clusters) -> Score:
    """Clusters: the best pairing of both sides, by the Dice coefficients of the pairs (Luo 2005, phi 4)."""
    alike = np.array([[2 * len(a & b) / (len(a) + len(b)) for b in predicted] for a in gold]).reshape(
        len(gold), len(predicted)
    )
    best = float(assigned(alike))
    return best, len(gold), best, len(predicted)


def assigned(profit: NDArray[np.float64]) -> float:
    """The highest sum of entries of ``[n, m]`` of which no two share a row or a column.

    By shortest augmenting paths (Jonker and Volgenant 1987), in O(n^2 m) for n <= m.
    """
    if profit.size == 0:
        return 0.0
    cost = -(profit if profit.shape[0] <= profit.shape[1] else profit.T)
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1)
    for row in range(rows):
        distance, before = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns, bool)
        here, at, reached = row, -1, 0.0
        while True:
            # Prices make every reduced cost non-negative, so the nearest open column is final.
            through = reached + cost[here] - row_price[here] - column_price
            nearer = ~done & (through < distance)
            distance[nearer], before[nearer] = through[nearer], at
            at = int(np.where(done, np.inf, distance).argmin())
            reached = float(distance[at])
            if row_of[at] < 0:
                break
            done[at] = True
            here = int(row_of[at])
        row_price[row] += reached
        row_price[row_of[done]] += reached - distance[done]
        column_price[done] -= reached - distance[done]
        while at >= 0:
            previous = int(before[at])
            row_of[at] = row if previous < 0 else row_of[previous]
            at = previous
    taken = np.flatnonzero(row_of >= 0)
    return float(-cost[row_of[taken], taken].sum())


def conll(*counts: float) -> float:
    """The mean of the three F1. ``counts``: three scores, one after the other."""
    return sum(_f1(*counts[at : at + 4]) for at in (0, 4, 8)) / 3


def _f1(hit: float, gold: float, right: float, predicted: float) -> float:
    recall, precision = hit / gold if gold else 0.0, right / predicted if predicted else 0.0
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0
