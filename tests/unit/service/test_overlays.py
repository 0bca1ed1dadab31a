"""Fronts of several jobs over one another: over REST, by the client and on the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from search.pareto import hypervolume
from service.cli import app as command_line
from service.front_views import OverlayView

MakeJob = Callable[..., str]


@pytest.fixture
def pair(job_with_points: MakeJob) -> tuple[str, str]:
    """A job, and one that is better under the greater budget alone."""
    return (
        job_with_points(accuracies={("random", 0): 0.8, ("random", 1): 0.85}),
        job_with_points(accuracies={("random", 0): 0.7, ("random", 1): 0.95}),
    )


def overlay(api: TestClient, query: str) -> OverlayView:
    answer = api.get(f"/v1/fronts?{query}")
    assert answer.status_code == 200, answer.text
    return OverlayView.model_validate(answer.json())


def test_the_front_over_all_is_of_the_best_points(api: TestClient, pair: tuple[str, str]) -> None:
    found = overlay(api, f"job={pair[0]}&job={pair[1]}&job={pair[0]}")
    assert [job.job_id for job in found.jobs] == list(pair)
    assert [(point.job_id, point.validation_accuracy) for point in found.front] == [
        (pair[0], 0.8),
        (pair[1], 0.95),
    ]
    assert (found.metric, found.scope, found.same_data, found.reference_cost) == (
        "bit_budget", "searched", True, 4,
    )  # fmt: skip
    for job in found.jobs:
        own = api.get(f"/v1/jobs/{job.job_id}/front").json()
        assert job.hypervolume == pytest.approx(own["hypervolume"])
        assert [point.id for point in job.points] == [point["id"] for point in own["points"]]
    expected = hypervolume([1.5, 2.5], [0.8, 0.95], 4)
    assert found.hypervolume == pytest.approx(expected)
    assert found.hypervolume > max(job.hypervolume for job in found.jobs)


def test_points_are_chosen_by_method_and_metric(api: TestClient, pair: tuple[str, str]) -> None:
    query = f"job={pair[0]}&job={pair[1]}"
    uniform = overlay(api, f"{query}&method=uniform")
    assert {point.method for job in uniform.jobs for point in job.points} == {"uniform"}
    assert overlay(api, f"{query}&metric=s_ace").metric == "s_ace"
    assert sum(len(job.points) for job in overlay(api, f"{query}&all_points=true").jobs) == 8


def test_of_equal_points_the_first_jobs_is_on_the_front(api: TestClient, job_with_points: MakeJob) -> None:
    first, second = job_with_points(), job_with_points()
    assert {point.job_id for point in overlay(api, f"job={second}&job={first}").front} == {second}


def test_a_batch_names_its_jobs(api: TestClient, spec: dict[str, Any]) -> None:
    batch = api.post("/v1/job-batches", json={"template": spec, "grid": {"/seeds": [[0], [1]]}}).json()
    found = overlay(api, f"batch={batch['id']}")
    assert [(job.name, job.points, job.hypervolume) for job in found.jobs] == [
        ("small.1", [], 0), ("small.2", [], 0)
    ]  # fmt: skip
    assert found.front == []


def test_other_data_is_told_and_other_metrics_or_layers_are_refused(
    api: TestClient, spec: dict[str, Any]
) -> None:
    def made(**changes: Any) -> str:
        return str(api.post("/v1/jobs", json=spec | changes).json()["id"])

    plain, other = made(), made(dataset={"name": "mnist"})
    kib, whole = made(budget={"metric": "weight_kib", "max": [4]}), made(budget={"max": [4], "scope": "all"})
    assert not overlay(api, f"job={plain}&job={other}").same_data
    mixed = api.get(f"/v1/fronts?job={plain}&job={kib}")
    assert (mixed.status_code, mixed.json()["errors"][0]["parameter"]) == (422, "metric")
    assert overlay(api, f"job={plain}&job={kib}&metric=weight_kib").metric == "weight_kib"
    scopes = api.get(f"/v1/fronts?job={plain}&job={whole}")
    assert (scopes.status_code, scopes.json()["code"]) == (422, "invalid_input")


def test_jobs_whose_scores_or_costs_do_not_compare_are_refused(api: TestClient, spec: dict[str, Any]) -> None:
    def made(**changes: Any) -> str:
        return str(api.post("/v1/jobs", json=spec | changes).json()["id"])

    plain, balanced, wide = made(), made(objective="balanced_accuracy"), made(hardware={"rows": 32})
    other = api.get(f"/v1/fronts?job={plain}&job={balanced}")
    assert (other.status_code, other.json()["code"]) == (422, "invalid_input")
    assert overlay(api, f"job={balanced}").objective == "balanced_accuracy"
    assert api.get(f"/v1/fronts?job={plain}&job={wide}&metric=cycles").status_code == 422
    for metric in ("energy_uj", "bit_budget"):  # which do not depend on how many rows there are
        assert overlay(api, f"job={plain}&job={wide}&metric={metric}").metric == metric


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("job=job-0123456789abcdef", 404),
        ("job=nonsense", 404),
        ("job={job}&method=magic", 422),
        ("job={job}&metric=magic", 422),
        ("job={job}&metric=table", 422),
        ("batch=batch-0123456789abcdef", 404),
        ("&".join(["job={job}"] * 101), 422),
        ("job={job}&seed=9", 422),
    ],
)
def test_what_cannot_be_is_refused(api: TestClient, spec: dict[str, Any], query: str, status: int) -> None:
    job = api.post("/v1/jobs", json=spec).json()["id"]
    assert api.get(f"/v1/fronts?{query.format(job=job)}").status_code == status


def test_csv_has_every_point_and_says_which_are_on_the_front_of_all(
    api: TestClient, pair: tuple[str, str]
) -> None:
    text = api.get(f"/v1/fronts?job={pair[0]}&job={pair[1]}&format=csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["job_id"], row["validation_accuracy"], row["on_front_of_all"]) for row in rows] == [
        (pair[0], "0.8", "True"),
        (pair[0], "0.85", "False"),
        (pair[1], "0.7", "False"),
        (pair[1], "0.95", "True"),
    ]


def test_the_command_prints_tables_json_and_csv(url: str, pair: tuple[str, str]) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command_line, ["--url", url, *arguments], env={"COLUMNS": "200"})

    shown = run("fronts", *pair)
    assert shown.exit_code == 0, shown.output
    assert "fronts by bit_budget (searched layers), hypervolume up to 4" in shown.output
    assert len(json.loads(run("fronts", *pair, "--json").output)["front"]) == 2
    assert run("fronts", *pair, "--csv").output.startswith("metric,scope,job_name,id")
    assert run("fronts", *pair, "--csv", "--json").exit_code == 2
    assert run("fronts").exit_code == 2
    assert run("table", "trials", pair[0]).output.startswith("id,job_id,method")
    assert len(run("table", "points", "latest").output.splitlines()) == 5
    assert len(run("jobs", "--csv").output.splitlines()) == 3
    assert run("jobs", "--csv", "--json").exit_code == 2
    assert run("table", "nonsense", "latest").exit_code == 2


def test_a_point_over_its_budget_is_never_on_the_front_over_all(
    api: TestClient, spec: dict[str, Any], job_with_points: MakeJob
) -> None:
    spec["budget"] = {"max": [2]}  # the points of seed 1 cost 2.5
    job = job_with_points(accuracies={("random", 1): 0.99})
    found = overlay(api, f"job={job}&all_points=true")
    assert {point.feasible for point in found.jobs[0].points} == {True, False}
    assert [(point.cost, point.feasible) for point in found.front] == [(1.5, True)]
