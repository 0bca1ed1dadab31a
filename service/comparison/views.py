"""What the API answers about the comparison of a job; scores and hypervolumes are shares from 0 to 1.

A score is the objective of the job (search.objective). Where that is accuracy, fields named after it say the
same; otherwise they are None.
"""

from __future__ import annotations

from typing import Literal

from search.objective import Objective
from service.views import View

Accuracy = Literal["test", "validation"]
Outcome = Literal["better", "worse", "undecided", "nothing", "refused"]


class IntervalView(View):
    """A mean over seeds with its 95 % interval; `low` and `high` are None with fewer than two seeds."""

    value: float
    low: float | None
    high: float | None
    seeds: int


class CurvePointView(View):
    """Hypervolume over seeds after a share (0 to 1) of a study's compute: median and range."""

    share: float
    median: float
    least: float
    greatest: float


class AtBudgetView(View):
    """The score of the best points under a budget; `missing` seeds have none and are left out."""

    budget: float
    score: IntervalView | None
    accuracy: IntervalView | None
    missing: int


class ChosenView(View):
    """The point of a study that the validation score chooses under a budget; None throughout without one.

    `samples` is what the study had processed when the trial of the point had ended.
    """

    budget: float
    cost: float | None
    score: float | None
    test_score: float | None
    validation_accuracy: float | None
    test_accuracy: float | None
    samples: int | None


class StepView(View):
    """The hypervolume of a study from a number of samples on."""

    samples: int
    hypervolume: float


class SeedView(View):
    """One study: what it was given, what it used, what it found."""

    seed: int
    share: int
    samples: int
    seconds: float
    device_seconds: float
    finished: bool
    hypervolume: float
    history: list[StepView]  # every change of its hypervolume
    chosen: list[ChosenView]  # one for each budget


class MethodView(View):
    """How one method did over the seeds of the job."""

    method: str
    share: int  # the samples that each of its studies may process
    samples: int  # the most that one of them has processed
    seconds: float  # mean wall seconds of a study
    device_seconds: float
    hypervolume: IntervalView
    curve: list[CurvePointView]
    at_budgets: list[AtBudgetView]
    seeds: list[SeedView]


class PairView(View):
    """The subject against one other method; `difference` is in hypervolume, paired by seed.

    `compute_factor` is how many times the subject's compute the other method used to reach the subject's
    median hypervolume, None where it did not within `compute_searched` times. `seeds_needed` is how many
    seeds in all would likely settle an undecided difference, None beyond 100. Where the comparison is
    refused, so is every outcome in it.
    """

    method: str
    against: str
    difference: IntervalView | None
    outcome: Outcome
    compute_factor: float | None
    compute_searched: float
    seeds_needed: int | None


class ComparisonView(View):
    """The methods of a job against one of them; `refusal` says why no verdict can be given at all."""

    job_id: str
    metric: str
    objective: Objective = "accuracy"
    budgets: list[float]
    accuracy: Accuracy  # the split whose scores are compared
    subject: str
    verdict: str
    refusal: str | None
    methods: list[MethodView]  # the greatest hypervolume first
    pairs: list[PairView]
