"""Ablations over REST: submitting, looking at them, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.ablations.views import AblationView

SEARCHING = {
    "name": "x",
    "architecture": {"name": "conv-net"},
    "search_space": {"width": [4, 8]},
    "dataset": {"name": "digits"},
    "budget": {"max": [2]},
}
JOBS = 1 + 3 * 2 + 1  # fixed; each of T, Bs and Bw alone, under each of two budgets; all together


def test_submission_answers_the_ablation_and_queues_its_jobs(
    api: TestClient, ablation: dict[str, Any]
) -> None:
    response = api.post("/v1/ablations", json=ablation)
    found = AblationView.model_validate(response.json())
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/ablations/{found.id}"
    assert api.get(response.headers["location"]).json() == response.json()
    assert (found.name, found.state, found.jobs) == ("base", "queued", JOBS)
    jobs = api.get("/v1/jobs").json()["items"]
    assert len(jobs) == JOBS
    assert {job["name"] for job in jobs} > {"base.fixed", "base.only-steps.2", "base.only-steps.4"}
    assert found.trials_planned == sum(job["trials_planned"] for job in jobs)


def test_without_groups_all_of_them_are_run(api: TestClient, ablation: dict[str, Any]) -> None:
    response = api.post("/v1/ablations", json={"job": ablation["job"]})
    assert [group["key"] for group in response.json()["groups"]] == ["learned", "renewal", "steps", "targets"]


def test_a_key_used_again_returns_the_same_ablation(api: TestClient, ablation: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (api.post("/v1/ablations", json=ablation, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(api.get("/v1/ablations").json()["items"]) == 1
    other = api.post("/v1/ablations", json=ablation | {"groups": ["steps"]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"groups": ["nonsense"]}, "/groups/0", "unknown_value"),
        ({"groups": []}, "/groups", "out_of_range"),
        ({"job": {"name": "x"}}, "/job/budget", "missing"),
        ({"seeds": [1]}, "/seeds", "unknown_field"),
        ({"job": SEARCHING}, "/job/search_space", "invalid_input"),
    ],
)
def test_what_cannot_be_is_refused_by_its_place(
    api: TestClient, ablation: dict[str, Any], change: dict[str, Any], pointer: str, code: str
) -> None:
    response = api.post("/v1/ablations", json=ablation | change)
    assert response.status_code == 422
    assert code in [error["code"] for error in response.json()["errors"] if error["pointer"] == pointer]
    assert api.get("/v1/jobs").json()["items"] == []


def test_a_job_that_cannot_be_planned_stores_nothing(
    api: TestClient, ablation: dict[str, Any], monkeypatch: pytest.MonkeyPatch, training: Any
) -> None:
    from models.errors import InfeasibleError

    def refuse(spec: Any, folder: Any) -> Any:
        if spec.name == "base.all-learned":
            raise InfeasibleError("cannot be reached.", fix="Raise it.", pointer="/budget/max/0")
        return training.plan(spec, folder)

    context = api.app.state.context  # type: ignore[attr-defined]  # starlette's state has no types
    object.__setattr__(context.catalogue, "plan", refuse)
    response = api.post("/v1/ablations", json=ablation)
    assert (response.status_code, response.json()["code"]) == (422, "infeasible")
    assert response.json()["errors"][0]["pointer"] == "/job/budget/max/0"
    assert api.get("/v1/jobs").json()["items"] == []
    assert api.get("/v1/ablations").json()["items"] == []


def test_progress_and_results_appear_as_jobs_end(
    api: TestClient, ablation: dict[str, Any], run_jobs: Callable[..., int]
) -> None:
    path = api.post("/v1/ablations", json=ablation | {"groups": ["renewal"]}).headers["location"]
    run_jobs(1)
    found = AblationView.model_validate(api.get(path).json())
    assert (found.state, found.jobs_ended) == ("running", 1)
    first, second = found.groups[0].variants[:2]
    assert (first.trials_done, first.trials_planned) == (4, 4)
    assert [len(result.found) for result in first.results] == [2, 2]
    assert [result.validation_accuracy for result in second.results] == [None, None]
    assert run_jobs() == 2
    assert api.get(path).json()["state"] == "succeeded"


def test_the_table_comes_as_csv(api: TestClient, ended: str) -> None:
    response = api.get(f"/v1/ablations/{ended}?format=csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert [(row["variant"], row["budget"]) for row in rows[:4]] == [
        ("fixed", "2.0"),
        ("fixed", "4.0"),
        ("time steps alone", "2.0"),
        ("time steps alone", "4.0"),
    ]
    found = AblationView.model_validate(api.get(f"/v1/ablations/{ended}").json())
    spread = found.groups[0].variants[0].results[1].test_accuracy
    assert spread is not None
    assert float(rows[1]["test_accuracy_mean"]) == spread.mean
    assert float(rows[1]["test_accuracy_deviation"]) == spread.deviation


def test_a_figure_has_a_series_per_variant(api: TestClient, ended: str) -> None:
    (figure,) = api.get(f"/v1/ablations/{ended}/figures").json()
    assert [series["name"] for series in figure["series"]][:2] == ["fixed", "time steps alone"]
    assert [point["x"] for point in figure["series"][0]["points"]] == [2, 4]
    text = api.get(f"/v1/ablations/{ended}/figures/learned?format=csv").text
    assert text.splitlines()[0] == "series,bit_budget,seed,validation accuracy"
    assert len(text.splitlines()) == 1 + sum(
        len(point["values"]) for series in figure["series"] for point in series["points"]
    )


@pytest.mark.parametrize(
    "path", ["ablation-0123456789abcdef", "job-1", "ablation-0123456789abcdef/figures", "latest"]
)
def test_what_is_not_there_is_answered_with_404(api: TestClient, path: str) -> None:
    assert api.get(f"/v1/ablations/{path}").status_code == 404


def test_pages_of_ablations_and_a_wrong_cursor(api: TestClient, ablation: dict[str, Any]) -> None:
    made = [api.post("/v1/ablations", json=ablation).json()["id"] for _ in range(3)]
    first = api.get("/v1/ablations?limit=2").json()
    rest = api.get(f"/v1/ablations?limit=2&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert api.get("/v1/ablations?cursor=nonsense").status_code == 422
