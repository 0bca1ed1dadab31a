"""What the API answers to limits that a point has to keep together."""

from __future__ import annotations

from typing import Any

from search.fit import Change
from search.objective import Objective
from service.views import JobState, View


class FitLimitView(View):
    """A limit, and the least that any allocation within the bounds of the job costs by its metric.

    `least` and `achievable` are None where the job's layer table is not stored in full; `achievable` also for
    a measured cost that is above the limit at the job's reference rates, which spikes may stay below.
    """

    metric: str
    scope: str
    maximum: float
    least: float | None
    achievable: bool | None


class FitCostView(View):
    """What a point costs under one limit: `over` is cost - maximum where that is above 0, else 0."""

    metric: str
    scope: str
    maximum: float
    cost: float
    over: float
    excess: float  # over / maximum


class FitPointView(View):
    """A point beside the limits; `feasible` is about its job's own limits, which decide nothing here."""

    id: str
    trial_id: str
    method: str
    seed: int
    score: float
    test_score: float
    validation_accuracy: float
    test_accuracy: float
    feasible: bool
    costs: list[FitCostView]


class FitNextView(View):
    """What to search next: a merge patch of the job (`POST /v1/jobs/{id}/clone`) and the same as a command.

    Both are None where no change of bits or limits would do. `unforeseen` names limits on measured costs that
    cannot be promised before training, so that the patch leaves them out.
    """

    change: Change
    advice: str
    patch: dict[str, Any] | None
    command: str | None
    unforeseen: list[str]


class FitView(View):
    """The best point of a job that keeps all limits; else the nearest one, and what to search next.

    `compared` counts the points whose costs are known, `left_out` those that an earlier version stored
    without a cost that cannot be computed. `next` is None where a point fits or the layer table is not known.
    """

    job_id: str
    state: JobState
    objective: Objective
    fits: bool
    limits: list[FitLimitView]
    best: FitPointView | None
    nearest: FitPointView | None
    compared: int
    left_out: int
    next: FitNextView | None
