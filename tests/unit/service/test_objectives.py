"""A job for something else than accuracy says so wherever people look, and shows that."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import app as command_line

MakeJob = Callable[..., str]


@pytest.fixture
def spec(spec: dict[str, Any]) -> dict[str, Any]:
    """For balanced accuracy, which is 0.3 with seed 0 and 0.4 with seed 1."""
    return spec | {"objective": "balanced_accuracy"}


def text_of(api: TestClient, path: str) -> str:
    """A page without its markup."""
    answer = api.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_front_and_best_points_are_by_the_objective(api: TestClient, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    front = api.get(f"/v1/jobs/{job_id}/front").json()
    assert front["objective"] == "balanced_accuracy"
    assert [point["score"] for point in front["points"]] == pytest.approx([0.3, 0.4])
    assert [point["validation_accuracy"] for point in front["points"]] == [0.5, 0.6]
    job = api.get(f"/v1/jobs/{job_id}").json()
    assert job["spec"]["objective"] == "balanced_accuracy"
    assert [best["score"] for best in job["best"]] == pytest.approx([0.3, 0.4])
    point = api.get(f"/v1/jobs/{job_id}/best?max=4").json()
    assert (point["objective"], point["test_score"]) == ("balanced_accuracy", pytest.approx(0.39))


def test_every_row_of_the_csv_names_the_objective(api: TestClient, job_with_points: MakeJob) -> None:
    text = api.get(f"/v1/jobs/{job_with_points()}/front?format=csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["objective"], float(row["score"])) for row in rows] == [
        ("balanced_accuracy", pytest.approx(0.3)),
        ("balanced_accuracy", pytest.approx(0.4)),
    ]


def test_a_comparison_is_of_the_objective(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/comparison?accuracy=validation"
    found = api.get(path).json()
    at_four = found["methods"][0]["at_budgets"][1]
    assert (found["objective"], at_four["accuracy"]) == ("balanced_accuracy", None)
    assert at_four["score"]["value"] == pytest.approx(0.35)
    chosen = found["methods"][0]["seeds"][0]["chosen"][1]
    assert (chosen["score"], chosen["validation_accuracy"]) == (pytest.approx(0.3), None)
    rows = list(csv.DictReader(io.StringIO(api.get(f"{path}&format=csv").text)))
    assert {row["objective"] for row in rows} == {"balanced_accuracy"}
    assert {row["quantity"] for row in rows} > {"balanced_accuracy", "hypervolume"}


def test_the_pages_name_it(api: TestClient, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    shown = text_of(api, f"/jobs/{job_id}")
    assert "Mean validation balanced accuracy over seeds" in shown
    assert "Front: balanced accuracy against cost" in shown
    assert "40.0" in shown
    assert "balanced accuracy by bit_budget" in text_of(api, "/jobs")
    assert "Validation balanced accuracy against the budget" in text_of(api, f"/jobs/{job_id}/figures")
    assert "Balanced accuracy at each budget" in text_of(api, f"/jobs/{job_id}/comparison")


def test_the_page_of_a_point_has_all_that_was_measured(api: TestClient, job_with_points: MakeJob) -> None:
    point = api.get(f"/v1/jobs/{job_with_points()}/best?max=4").json()["id"]
    shown = text_of(api, f"/points/{point}").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "Validation balanced accuracy 40.00 %" in shown
    assert "accuracy 60.00 % 59.00 %" in shown
    assert "loss mean cross entropy 0.6000 0.6100" in shown


def test_the_command_line_names_it(url: str, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    printed = CliRunner().invoke(command_line, ["--url", url, "front", job_id]).output
    assert "mean balanced accuracy over the seeds" in printed
    printed = CliRunner().invoke(command_line, ["--url", url, "compare", job_id]).output
    assert "test balanced accuracy at each budget" in printed


class TestLoss:
    @pytest.fixture
    def spec(self, spec: dict[str, Any]) -> dict[str, Any]:
        return spec | {"objective": "loss"}

    def test_the_least_loss_is_best_and_its_likelihood_is_explained(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points()
        front = api.get(f"/v1/jobs/{job_id}/front").json()
        assert [(point["seed"], point["validation_loss"]) for point in front["points"]] == [(0, 0.5)]
        assert front["points"][0]["score"] == pytest.approx(math.exp(-0.5))
        shown = text_of(api, f"/jobs/{job_id}")
        assert "Front: likelihood against cost" in shown
        assert "Likelihood is exp(-loss)" in shown
        assert "Objective loss" in shown


def test_an_unknown_objective_is_refused_with_those_that_there_are(
    api: TestClient, spec: dict[str, Any]
) -> None:
    answer = api.post("/v1/jobs", json=spec | {"objective": "f1"})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/objective")
    assert "balanced_accuracy" in error["fix"]
