"""The population stability index: how far a distribution has moved, beyond what chance explains."""

from __future__ import annotations

import math
from collections.abc import Sequence

ALARM = 0.25
"""From this index on, a population is by convention said to have changed significantly; below 0.1, not at all
(Siddiqi, Credit Risk Scorecards, 2006)."""
_SMOOTH = 0.5
"""Added to each count, so that an empty bin does not make the index infinite (Jeffreys' prior)."""
_NORMAL_99 = 2.3263479
"""The 99th percentile of the standard normal distribution."""


def excess(reference: Sequence[int], counts: Sequence[int]) -> float:
    """Return the population stability index of two histograms over the same bins, less what chance explains.

    The index is the sum over the bins of ``(q - p) * ln(q / p)``, where p and q are the shares of the bin: the
    symmetric divergence of Kullback and Leibler (1951). If nothing has changed it is distributed as
    ``(1 / n + 1 / m)`` times chi-squared with one degree of freedom less than there are bins (Yurdakul, Statistical
    Properties of Population Stability Index, 2018). The 99th percentile of that is subtracted, so that the index of
    samples of 50 and of 50,000 texts can be compared with the same limit.

    Args:
        reference: counts per bin, at least one of them greater than 0.
        counts: the same of what is to be compared.

    Returns:
        0 or more; 0 if there is nothing to compare.
    """
    n, m = sum(reference), sum(counts)
    if not n or not m or len(counts) < 2:
        return 0.0
    ends = n + _SMOOTH * len(counts), m + _SMOOTH * len(counts)
    index = 0.0
    for before, now in zip(reference, counts, strict=True):
        p, q = (before + _SMOOTH) / ends[0], (now + _SMOOTH) / ends[1]
        index += (q - p) * math.log(q / p)
    return max(0.0, index - (1 / n + 1 / m) * chi_squared_99(len(counts) - 1))


def chi_squared_99(degrees: int) -> float:
    """Return the 99th percentile of chi-squared (Wilson and Hilferty 1931); exact to 2 % for 2 degrees or more."""
    if degrees == 1:
        return 6.6349
    part = 2 / (9 * degrees)
    return degrees * float((1 - part + _NORMAL_99 * math.sqrt(part)) ** 3)
