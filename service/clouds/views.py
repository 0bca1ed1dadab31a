"""What is asked of many points, and what is answered."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search.comparison import Accuracy
from search.objective import Objective
from service.views import View


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """Bounds on the cost and on the score of a split, ends included."""

    cost_min: float = 0.0
    cost_max: float = math.inf
    score_min: float = 0.0
    score_max: float = 1.0
    accuracy: Accuracy = "validation"

    @property
    def bounded(self) -> bool:
        """Whether it leaves anything out."""
        ends = (self.cost_min, self.cost_max, self.score_min, self.score_max)
        return ends != (0.0, math.inf, 0.0, 1.0)


class CloudPoint(View):
    """A point with everything that a chart draws of it; see FrontPoint for the scores.

    `on_own_front` is about the feasible points of its job and method, `on_front` about all that were chosen.
    """

    id: str
    job_id: str
    method: str
    seed: int
    cost: float
    score: float
    test_score: float
    feasible: bool
    on_front: bool
    on_own_front: bool
    mean_weight_bits: float | None  # None where the layer table is not known, as the next two
    mean_spike_bits: float | None
    mean_steps: float | None
    costs: dict[str, float]  # by every metric that it has a cost by


class CloudJob(View):
    """A job of a cloud: how many points were chosen of it."""

    job_id: str
    name: str
    state: str
    points: int


class CloudView(View):
    """Points of some jobs by one metric, cheapest first.

    The fronts are exact: taken over all points that were chosen, by method and seed, and never thinned.
    A region chooses among the points but changes no front. `shown` of the `total` points in it are here.
    """

    metric: str
    scope: str
    objective: Objective
    metrics: list[str]  # that every job has costs by
    same_data: bool
    jobs: list[CloudJob]
    methods: list[str]  # of the jobs, chosen or not
    seeds: list[int]
    total: int
    shown: int
    points: list[CloudPoint]
