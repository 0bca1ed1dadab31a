"""Methods of one search against each other, at equal compute, over seeds (design section 5).

The best of a study under a budget b, after it has processed n samples, is the feasible point with the highest
validation accuracy among those found by then that cost at most b (the cheaper of equals): a*(b, n), 0 where
there is none. Its test accuracy is what a user would get, and steers nothing. The hypervolume of a study is
the area below that step function, between the least and the greatest budget, on a logarithmic axis:

    HV(n) = 1 / ln(b_max / b_min) * integral of a*(b, n) d ln b,   b from b_min to b_max

so it is the accuracy of the best point averaged over the budgets that were asked for, 0 to 1; with a single
budget it is a*(b, n). What is cheaper than the least budget counts there alone. (decision 9)

Two methods are compared seed by seed, since a seed fixes initial weights and data order for both:

    d_s = HV_ours(s) - HV_theirs(s),   an interval for the mean of d over seeds (search.intervals)

and no verdict is given where the interval holds zero, or where compute was not equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Accuracy = Literal["validation", "test"]
Outcome = Literal["better", "worse", "undecided", "nothing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A feasible point of a study: the study's compute when its trial had ended, its cost and accuracies."""

    samples: int
    cost: float
    validation_accuracy: float
    test_accuracy: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyRecord:
    """What one (method, seed) was given and what it found, in the order of its trials.

    `share` is the samples that every study of the job may process and `samples` those that it has; `seconds`
    is the wall time of its trials and `device_seconds` that of the GPUs they held.
    """

    method: str
    seed: int
    share: int
    samples: int
    seconds: float
    device_seconds: float
    finished: bool
    found: tuple[Found, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A value over seeds with its 95 % interval; `low` and `high` are None with fewer than two seeds."""

    value: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """Hypervolume over seeds after a share (0 to 1) of a study's compute: median and range."""

    share: float
    median: float
    least: float
    greatest: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AtBudget:
    """The accuracy of the best point under a budget; `missing` seeds have none and are left out."""

    budget: float
    accuracy: Interval | None
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodResult:
    """How one method did over the seeds of the job."""

    method: str
    samples: int  # the most that one of its studies has processed
    seconds: float  # mean wall seconds of a study
    device_seconds: float
    hypervolumes: tuple[float, ...]  # at the end, one per seed
    hypervolume: Interval
    curve: tuple[CurvePoint, ...]
    at_budgets: tuple[AtBudget, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The subject of a comparison against one other method.

    `difference` is in hypervolume, paired by seed. `compute_factor` is how many times the subject's compute the
    other method used to reach the subject's median hypervolume, None where it did not within `compute_searched`
    times. `seeds_needed` is how many seeds in all would likely settle an undecided difference, None beyond 100.
    """

    method: str
    against: str
    difference: Interval | None
    outcome: Outcome
    compute_factor: float | None
    compute_searched: float
    seeds_needed: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A whole comparison. `refusal` says why no verdict can be given at all: compute was not equal, say."""

    accuracy: Accuracy
    budgets: tuple[float, ...]
    subject: str
    methods: tuple[MethodResult, ...]
    pairs: tuple[Pair, ...]
    refusal: str | None
    verdict: str


def compare(
    studies: Sequence[StudyRecord], *, budgets: Sequence[float], subject: str, accuracy: Accuracy = "test"
) -> Comparison:
    """Compare the subject with every other method of a job. Raises InvalidInputError for an unknown subject."""
    raise NotImplementedError
