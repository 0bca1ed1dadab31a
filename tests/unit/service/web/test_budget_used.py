"""The share of a budget that a point uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.store import Store
from service.views import PointView
from service.web.budget_used import BudgetUsed, budget_used

MakeJob = Callable[..., str]


@pytest.fixture
def point(api_store: Store, job_with_points: MakeJob) -> PointView:
    job_id = job_with_points()
    with api_store.unit() as unit:
        return unit.points.page(job_id, limit=1, cursor=None).items[0]


def used(point: PointView, cost: float, note: dict[str, Any], **budget: Any) -> BudgetUsed | None:
    """Of a point that costs so much, meant for what its note says."""
    spec = {**point.spec, "budget": {"metric": "bit_budget", "max": [2, 4, 8], **budget}}
    costs = {"searched": {"bit_budget": cost}, "all": {"bit_budget": 2 * cost}}
    changes = {"costs": costs, "spec": spec, "proposal": {**point.proposal, "note": note}}
    return budget_used(point.model_copy(update=changes))


def test_it_is_of_the_budget_that_a_trial_was_meant_for(point: PointView) -> None:
    found = used(point, 2.8, {"budget": 2.83})
    assert found == BudgetUsed(share=2.8 / 2.83, metric="bit_budget", maximum=2.83)


def test_of_a_descent_it_is_of_the_least_that_the_point_keeps(point: PointView) -> None:
    found = used(point, 2.7, {"budget": 2.0, "budgets": [8.0, 2.83, 2.0]})
    assert found is not None
    assert found.maximum == 2.83


def test_a_proposal_without_a_budget_was_meant_for_those_of_its_job(point: PointView) -> None:
    found = used(point, 3.0, {})
    assert found == BudgetUsed(share=0.75, metric="bit_budget", maximum=4.0)


def test_the_scope_of_the_budget_counts(point: PointView) -> None:
    found = used(point, 3.0, {}, scope="all")
    assert found == BudgetUsed(share=0.75, metric="bit_budget", maximum=8.0)


def test_above_all_of_them_there_is_none(point: PointView) -> None:
    assert used(point, 2.9, {"budget": 2.83}) is None


def test_the_page_of_a_point_says_so(api: TestClient, point: PointView) -> None:
    found = budget_used(point)
    assert found is not None
    page = api.get(f"/points/{point.id}").text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert f"{found.share:.1%}".replace("%", " %") in page
    assert "Of its budget" in page
