"""What a study has attained after n samples: the best point under each budget, and the area below them.

    a*(b, n)  score (search.objective) of the feasible point with the highest validation score among those
              found by then that cost at most b (the cheaper, then the earlier, of equals); 0 without one
    HV(n)     1 / ln(b_max / b_min) * integral of a*(b, n) d ln b from b_min to b_max; a*(b, n) if those meet

So the hypervolume is the score of the best point, averaged over the budgets that were asked for: 0 to 1.
What is cheaper than the least budget counts as it would there (decision 9).

`accuracy` names the split whose score is read off the chosen point; validation chooses it either way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from search.pareto import insert

Accuracy = Literal["validation", "test"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A feasible point of a study: the study's compute when its trial had ended, its cost and scores."""

    samples: int
    cost: float
    score: float  # on the validation split
    test_score: float

    def read(self, accuracy: Accuracy) -> float:
        """The score on that split."""
        return self.test_score if accuracy == "test" else self.score


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """The hypervolume from a number of samples on."""

    samples: int
    hypervolume: float


def best_under(found: Sequence[Found], budget: float) -> Found | None:
    """The point that validation chooses under a budget; None where none fits."""
    fitting = [one for one in found if one.cost <= budget]
    return min(fitting, key=lambda one: (-one.score, one.cost)) if fitting else None


def history(found: Sequence[Found], budgets: Sequence[float], accuracy: Accuracy) -> tuple[Moment, ...]:
    """HV(n) as a step function: a moment for every point that changed the front, in order of samples."""
    return tuple(_moments(found, budgets, accuracy))


def hypervolume_after(moments: Sequence[Moment], samples: float) -> float:
    """HV at a number of samples."""
    passed = [moment.hypervolume for moment in moments if moment.samples <= samples]
    return passed[-1] if passed else 0.0


def area(steps: Sequence[tuple[float, float]], least: float, greatest: float) -> float:
    """The mean over ln b of a step function that has a value from each (cost) on, costs ascending."""
    if least == greatest:
        return next((value for cost, value in reversed(steps) if cost <= greatest), 0.0)
    ends = [*(cost for cost, _ in steps[1:]), math.inf]
    clipped = (
        (min(max(low, least), greatest), min(max(high, least), greatest), value)
        for (low, value), high in zip(steps, ends, strict=True)
    )
    return sum(value * math.log(high / low) for low, high, value in clipped) / math.log(greatest / least)


def _moments(found: Sequence[Found], budgets: Sequence[float], accuracy: Accuracy) -> Iterator[Moment]:
    front: list[tuple[float, float]] = []
    point_at: dict[tuple[float, float], Found] = {}
    for one in found:
        place = (one.cost, one.score)
        grown = insert(front, place)
        if grown != front:
            front = grown
            point_at.setdefault(place, one)
            steps = [(cost, point_at[cost, chosen].read(accuracy)) for cost, chosen in front]
            yield Moment(samples=one.samples, hypervolume=area(steps, min(budgets), max(budgets)))
