"""What the API answers about ablations; times are UTC, accuracies fractions from 0 to 1."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from service.spread import Spread
from service.views import View

AblationState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ENDED_ABLATION_STATES: frozenset[AblationState] = frozenset({"succeeded", "failed", "cancelled"})


class SeedResult(View):
    """The best feasible point of one seed, by validation score."""

    seed: int
    point_id: str
    validation_accuracy: float
    test_accuracy: float
    score: float
    test_score: float
    cost: float


class BudgetResult(View):
    """A variant under one budget: the point of each seed that has one, and the spread over them.

    A spread is None where no seed has a feasible point yet. Mean bits are over the searched layers, as in the
    budget: Bw weighted by weights, Bs and T by inputs.
    """

    budget: float
    seeds: int  # of the job, also those without a point
    found: list[SeedResult]
    validation_accuracy: Spread | None
    test_accuracy: Spread | None
    score: Spread | None
    test_score: Spread | None
    cost: Spread | None
    weight_bits: Spread | None
    spike_bits: Spread | None
    steps: Spread | None


class VariantView(View):
    """One variant: what it changes, its jobs, and its results under each of its budgets, the least first."""

    name: str
    description: str
    method: str  # of its jobs, the one whose results count
    job_ids: list[str]
    trials_planned: int
    trials_done: int
    results: list[BudgetResult]


class GroupView(View):
    """The variants that answer one question."""

    key: str
    title: str
    question: str
    variants: list[VariantView]


class AblationView(View):
    """An ablation and its progress; `groups` is empty in listings.

    It has succeeded once each of its jobs has. Trials are those of all its jobs, `uniform` and what was
    reused included; a job that several groups share counts once.
    """

    id: str
    name: str
    state: AblationState
    spec: dict[str, Any]
    created_at: datetime
    jobs: int
    jobs_ended: int
    trials_planned: int
    trials_done: int
    groups: list[GroupView] = Field(default_factory=list)


def state_of(states: list[str]) -> AblationState:
    """The state of an ablation with jobs in these states."""
    ended = {"succeeded", "failed", "cancelled"}
    if not set(states) <= ended:
        return "queued" if set(states) == {"queued"} else "running"
    if "failed" in states:
        return "failed"
    return "cancelled" if "cancelled" in states else "succeeded"
