"""Several limits at once over REST, with the client and on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.client import BitfrontClient
from service.fit.views import FitView

MakeJob = Callable[..., str]
Run = Callable[..., Any]


def test_validation_decides_and_the_test_is_shown(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/fit"
    found = FitView.model_validate(api.get(path, params={"weight_kib": 1, "bit_budget": 3}).json())
    assert found.fits
    assert found.best is not None
    assert (found.best.validation_accuracy, found.best.test_accuracy) == (0.6, 0.59)
    assert [(one.metric, one.scope, one.over) for one in found.best.costs] == [
        ("bit_budget", "searched", 0),
        ("weight_kib", "all", 0),
    ]
    # The points of this job were stored without cycles: they are computed (100 MACs, 256 lanes, 2 x 2 bits).
    assert api.get(path, params={"cycles": 4}).json()["best"]["costs"][0]["cost"] == 4


def test_the_nearest_says_what_it_misses_and_what_to_search(
    api: TestClient, job_with_points: MakeJob
) -> None:
    path = f"/v1/jobs/{job_with_points()}/fit"
    found = FitView.model_validate(api.get(path, params={"weight_kib": 0.05, "bit_budget": 2}).json())
    assert (found.fits, found.best, found.compared) == (False, None, 4)
    assert found.nearest is not None
    assert [(one.metric, one.over, one.excess) for one in found.nearest.costs] == [
        ("bit_budget", 0, 0),
        ("weight_kib", 0.05, 1),
    ]
    assert [limit.achievable for limit in found.limits] == [True, True]
    assert found.next is not None
    assert found.next.patch == {
        "budget": {"max": [2]},
        "constraints": [{"metric": "weight_kib", "max": 0.05}],
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "missing"),
        ({"weight_kib": 0}, "out_of_range"),
        ({"kib": 3}, "unknown_field"),
        ({"table": 3}, None),
    ],
)
def test_refuses_limits_that_are_none(
    api: TestClient, job_with_points: MakeJob, params: dict[str, float], code: str | None
) -> None:
    response = api.get(f"/v1/jobs/{job_with_points()}/fit", params=params)
    assert response.status_code == 422
    if code is not None:
        assert response.json()["errors"][0]["code"] == code


def test_exit_codes_tell_what_happened(run: Run, url: str, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    result = run("fit", job_id, "--weight-kib", "1", "--max", "bit-budget=3")
    assert result.exit_code == 0, result.output
    assert "keeps every limit: validation accuracy 60.0 % (test 59.0 %)" in result.output
    result = run("fit", job_id, "--weight-kib", "0.05", "--json")
    assert result.exit_code == 5
    found = json.loads(result.output)
    assert found["nearest"]["costs"][0]["over"] == pytest.approx(0.05)
    assert BitfrontClient(url).fit(job_id, {"weight_kib": 0.05}).model_dump(mode="json") == found
    clone = shlex.split(found["next"]["command"])
    assert run(*clone[1:]).exit_code == 0  # what is advised is a job that is accepted
    assert run("fit", job_id).exit_code == 2
    assert run("fit", job_id, "--cycles", "9", "--max", "cycles=3").exit_code == 2
    assert run("fit", job_id, "--max", "3").exit_code == 2
    assert run("fit", "job-0123456789abcdef", "--cycles", "9").exit_code == 4


def test_shows_the_nearest_and_the_reach(run: Run, job_with_points: MakeJob) -> None:
    result = run("fit", job_with_points(), "--weight-kib", "0.001")
    assert result.exit_code == 5
    assert "No point of 4 keeps every limit" in result.output
    assert "search a smaller one" in result.output


def test_a_job_without_points_says_so(run: Run, api: TestClient, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    result = run("fit", job_id, "--weight-kib", "1")
    assert result.exit_code == 5
    assert "no points yet" in result.output
