"""The page of fronts: any jobs, and the best under a budget."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.unit.service.pages import MakeJob, part, seeds


class TestFrontsPage:
    def test_any_jobs_and_the_best_under_a_budget(self, api: TestClient, job_with_points: MakeJob) -> None:
        first = job_with_points(accuracies=seeds("random", 0.75, 0.875))
        second = job_with_points(accuracies=seeds("random", 0.625, 0.9375))
        page = api.get(f"/fronts?job={first},%20{second}&budget=2").text
        best = part(page, "best")
        assert best.count("<tr data-point") == 4
        assert "75.0" in best
        assert "93.8" not in best
        assert "93.8" in part(page, "points")
        assert f"/v1/fronts?job={first}&amp;job={second}&amp;metric=bit_budget" in page
        unbounded = part(api.get(f"/fronts?job={first}&job={second}").text, "best")
        assert "93.8" in unbounded

    def test_a_region_chooses_the_rows_and_may_leave_out_beaten_points(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.9, 0.8))
        asked = f"/fronts?job={job_id}&cost_min=2"
        assert part(api.get(asked).text, "points").count("<tr data-point") == 2
        assert "beaten" in part(api.get(asked).text, "points")
        assert "beaten" not in part(api.get(asked + "&dominated=hidden").text, "points")

    def test_choices_stand_in_the_form(self, api: TestClient, job_with_points: MakeJob) -> None:
        page = api.get(f"/fronts?job={job_with_points()}&metric=s_ace&method=uniform&seed=1&x=linear").text
        assert '<option value="s_ace" selected>' in page
        assert 'name="method" value="uniform" checked' in page
        assert 'name="method" value="random">' in page
        assert set(re.findall(r"point-[0-9a-f]{16}", part(page, "points"))) != set()
        assert "random" not in part(page, "points")

    @pytest.mark.parametrize(
        "choice", ["metric=no", "budget=x", "cost_min=-1", "method=no", "seed=x", "score_max=nan"]
    )
    def test_a_choice_that_is_not_offered_falls_back(
        self, api: TestClient, job_with_points: MakeJob, choice: str
    ) -> None:
        page = api.get(f"/fronts?job={job_with_points()}&{choice}")
        assert page.status_code == 200
        assert "Points on the fronts" in page.text

    def test_jobs_that_do_not_compare_are_told_apart_and_can_be_changed(
        self, api: TestClient, job_with_points: MakeJob, spec: dict[str, Any]
    ) -> None:
        other = api.post("/v1/jobs", json=spec | {"budget": {"max": [4], "scope": "all"}}).json()["id"]
        page = api.get(f"/fronts?job={job_with_points()}&job={other}").text
        assert "Choose another metric" in page
        assert f'value="{other}" checked' in page

    def test_without_jobs_it_says_what_to_do_and_what_is_not_there_is_refused(self, api: TestClient) -> None:
        assert "Choose jobs above" in api.get("/fronts").text
        assert api.get("/fronts?job=job-0").status_code == 404
        assert api.get("/fronts/growth").status_code == 422

    def test_how_fronts_grew_has_its_numbers(self, api: TestClient, job_with_points: MakeJob) -> None:
        page = api.get(f"/fronts/growth?job={job_with_points()}&over=time").text
        assert "hours since" in page
        assert "/v1/fronts/hypervolume?job=" in page
