"""What the API answers about fronts: those of one job, and those of several over one another."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from search.objective import Objective
from service.views import JobState, View


class FrontPoint(View):
    """A point as a chart needs it."""

    id: str
    job_id: str
    trial_id: str
    method: str
    seed: int
    cost: float
    validation_accuracy: float
    test_accuracy: float
    feasible: bool  # keeps every constraint and the greatest budget of its job
    on_front: bool
    validation_loss: float | None = None  # None where it was not measured
    test_loss: float | None = None
    score: float
    test_score: float


class FrontView(View):
    """The points of a job by one metric, and the hypervolume of the front among them.

    The front is taken over feasible points, by their scores. `hypervolume` is the area between
    the front and the reference (`reference_cost`, score 0), divided by `reference_cost`: 0 to 1.
    `hypervolumes` has the same for each method (the union of its seeds).
    """

    job_id: str
    metric: str
    scope: str
    objective: Objective = "accuracy"
    budgets: list[float]
    points: list[FrontPoint]
    hypervolume: float
    hypervolumes: dict[str, float]
    reference_cost: float


class JobFrontView(View):
    """The front of one job in an overlay; `hypervolume` is by the reference of the overlay."""

    job_id: str
    name: str
    state: JobState
    labels: dict[str, str]
    architecture: dict[str, Any]
    dataset: dict[str, Any]
    points: list[FrontPoint]
    hypervolume: float


class OverlayView(View):
    """The fronts of several jobs by one metric, and the front over all of them together.

    `same_data` says whether all jobs name the same data: without it scores do not compare.
    `reference_cost` is the greatest reference of the jobs.
    """

    metric: str
    scope: str
    objective: Objective = "accuracy"
    method: str | None  # that was chosen, where it is one
    methods: list[str] = Field(default=[])  # that were chosen; empty for all, as the next
    seeds: list[int] = Field(default=[])
    same_data: bool
    jobs: list[JobFrontView]
    front: list[FrontPoint]
    hypervolume: float
    reference_cost: float
