"""Which of some points keep several limits at once, and which one is nearest where none does.

For a point with the costs c_i under limits m_i > 0:

    excess     e_i = max(0, c_i - m_i) / m_i
    fits       where every c_i <= m_i
    best       of those that fit: the greatest score, then the least sum of c_i / m_i, then the first
    nearest    the least max_i e_i, then the least sum of e_i, then the greatest score, then the first
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.errors import InvalidInputError

Change = Literal["search", "more_trials", "widen_bits", "include_first", "smaller_network", "reference_rates"]
"""What to change of a job where no point fits (search.fit_next)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A point: its score (more is better) and its costs, one for each limit, in their order."""

    id: str
    score: float
    costs: tuple[float, ...]


def excess(cost: float, maximum: float) -> float:
    """e_i; above 0 exactly where the cost is above the limit."""
    return max(0.0, cost - maximum) / maximum


def best(candidates: Sequence[Candidate], maxima: Sequence[float]) -> Candidate | None:
    """The best candidate that keeps all limits, or None. Raises InvalidInputError as `nearest` does."""
    _check(maxima)
    fitting = [one for one in candidates if all(c <= m for c, m in zip(one.costs, maxima, strict=True))]
    return min(fitting, key=lambda one: (-one.score, _used(one, maxima)), default=None)


def nearest(candidates: Sequence[Candidate], maxima: Sequence[float]) -> Candidate | None:
    """The candidate that misses the limits by the least; None where there is none.

    Raises InvalidInputError unless there are limits and each is above 0.
    """
    _check(maxima)

    def distance(one: Candidate) -> tuple[float, float, float]:
        over = [excess(cost, maximum) for cost, maximum in zip(one.costs, maxima, strict=True)]
        return max(over), sum(over), -one.score

    return min(candidates, key=distance, default=None)


def _used(one: Candidate, maxima: Sequence[float]) -> float:
    return sum(cost / maximum for cost, maximum in zip(one.costs, maxima, strict=True))


def _check(maxima: Sequence[float]) -> None:
    if not maxima or min(maxima) <= 0:
        raise InvalidInputError("there is no limit above 0 to keep.", fix="Give one, such as weight_kib 64.")
