"""The median of a few runs and how sure it is, without assuming anything about its distribution."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A median, and bounds between which the true one lies with the probability `coverage`."""

    median: float
    low: float
    high: float
    coverage: float
    values: tuple[float, ...]


def coverage(runs: int, rank: int) -> float:
    """How likely the true median is between the `rank`-th smallest and the `rank`-th largest run.

    Each run is below the true median with probability 1/2, so the number of those is binomial.
    """
    return 1.0 - 2.0 * sum(math.comb(runs, i) for i in range(rank)) / 2.0**runs


def estimate(values: Sequence[float]) -> Estimate:
    """The median with the narrowest symmetric interval that covers at least `CONFIDENCE`.

    Fewer than six values cannot give 95 %: the bounds are then the smallest and the largest, and
    `coverage` says what they are worth.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    runs = len(ordered)
    rank = 1
    while rank < (runs + 1) // 2 and coverage(runs, rank + 1) >= CONFIDENCE:
        rank += 1
    return Estimate(
        median=statistics.median(ordered),
        low=ordered[rank - 1],
        high=ordered[runs - rank],
        coverage=max(coverage(runs, rank), 0.0),
        values=tuple(values),
    )


def spread(values: Sequence[float]) -> float:
    """The distance between the quartiles as a share of the median: how unquiet the runs were."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle
