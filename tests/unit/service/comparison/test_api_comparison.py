"""Comparisons over REST and through the client: the numbers, the CSV, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from statistics import mean
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.client import ApiError, BitfrontClient
from service.comparison.views import ComparisonView

Compared = Callable[..., str]


def asked(api: TestClient, job_id: str, **params: str) -> ComparisonView:
    response = api.get(f"/v1/jobs/{job_id}/comparison", params=params)
    assert response.status_code == 200, response.text
    return ComparisonView.model_validate(response.json())


def rows_of(text: str, quantity: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(text)) if row["quantity"] == quantity]


def test_gradient_is_compared_with_the_others_by_test_accuracy(api: TestClient, compared: Compared) -> None:
    found = asked(api, compared())
    assert (found.subject, found.accuracy, found.metric) == ("gradient", "test", "bit_budget")
    assert found.budgets == [2, 4]
    assert found.refusal is None
    assert {pair.against: pair.outcome for pair in found.pairs} == {
        "random": "better",
        "uniform": "undecided",
    }
    assert found.verdict.startswith("gradient beats random (+9.90 points")


def test_numbers_follow_from_the_points(api: TestClient, compared: Compared) -> None:
    """a at cost 2 and a + 0.02 from the middle of the budgets on: a + 0.01, minus 0.01 of test accuracy."""
    gradient = asked(api, compared()).methods[0]
    assert gradient.method == "gradient"
    assert [seed.hypervolume for seed in gradient.seeds] == pytest.approx([0.90, 0.91, 0.92])
    assert gradient.hypervolume.value == pytest.approx(0.91)
    assert [entry.accuracy and entry.accuracy.value for entry in gradient.at_budgets] == pytest.approx(
        [0.90, 0.92]
    )
    assert (gradient.share, gradient.samples) == (2000, 2000)
    assert [step.samples for step in gradient.seeds[0].history] == [1000, 2000]
    assert gradient.curve[-1].share == 1
    assert gradient.curve[-1].median == pytest.approx(0.91)


def test_subject_and_accuracy_can_be_chosen(api: TestClient, compared: Compared) -> None:
    found = asked(api, compared(), subject="uniform", accuracy="validation")
    assert (found.subject, found.accuracy) == ("uniform", "validation")
    assert [pair.against for pair in found.pairs] == ["random", "gradient"]
    assert found.methods[0].hypervolume.value == pytest.approx(0.92)


@pytest.mark.parametrize(
    ("params", "parameter", "code"),
    [
        ({"subject": "optuna-tpe"}, "subject", "unknown_value"),
        ({"subject": "<b>"}, "subject", "invalid_name"),
        ({"accuracy": "train"}, "accuracy", "unknown_value"),
        ({"format": "xml"}, "format", "unknown_value"),
        ({"method": "gradient"}, "method", "unknown_field"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_its_parameter(
    api: TestClient, compared: Compared, params: dict[str, str], parameter: str, code: str
) -> None:
    response = api.get(f"/v1/jobs/{compared()}/comparison", params=params)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["parameter"], error["code"]) == (422, parameter, code)
    assert error["fix"]


def test_an_unknown_subject_is_told_which_there_are(api: TestClient, compared: Compared) -> None:
    response = api.get(f"/v1/jobs/{compared()}/comparison?subject=optuna-tpe")
    (error,) = response.json()["errors"]
    assert error["detail"] == "the job has no method 'optuna-tpe'."
    assert error["fix"] == "Use one of random, gradient, uniform."


@pytest.mark.parametrize("job_id", ["job-0123456789abcdef", "nonsense"])
def test_a_job_that_is_not_there_has_no_comparison(api: TestClient, job_id: str) -> None:
    response = api.get(f"/v1/jobs/{job_id}/comparison")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_search_that_goes_on_is_refused_a_verdict(api: TestClient, compared: Compared) -> None:
    found = asked(api, compared(finish=False))
    assert found.refusal is not None
    assert "has not come to its end" in found.verdict
    assert {pair.outcome for pair in found.pairs} == {"refused"}
    assert found.methods[0].hypervolume.value == pytest.approx(0.91)


def test_a_queued_job_has_a_comparison_without_numbers(api: TestClient, spec: dict[str, Any]) -> None:
    found = asked(api, api.post("/v1/jobs", json=spec).json()["id"])
    assert found.refusal is not None
    assert {one.method: (one.share, one.samples) for one in found.methods} == dict.fromkeys(
        ("random", "gradient", "uniform"), (2000, 0)
    )


@pytest.mark.parametrize(("query", "headers"), [("?format=csv", {}), ("", {"Accept": "text/csv"})])
def test_all_can_be_computed_anew_from_the_csv(
    api: TestClient, compared: Compared, query: str, headers: dict[str, str]
) -> None:
    job_id = compared()
    response = api.get(f"/v1/jobs/{job_id}/comparison{query}", headers=headers)
    found = asked(api, job_id)
    assert response.headers["content-type"].startswith("text/csv")
    assert f"{job_id}-comparison.csv" in response.headers["content-disposition"]
    accuracies = rows_of(response.text, "accuracy")
    assert len(accuracies) == 3 * 3 * 2  # methods, seeds, budgets
    at_four = [
        float(row["value"]) for row in accuracies if row["budget"] == "4.0" and row["method"] == "random"
    ]
    random = next(one for one in found.methods if one.method == "random")
    assert random.at_budgets[1].accuracy is not None
    assert mean(at_four) == pytest.approx(random.at_budgets[1].accuracy.value)
    volumes = rows_of(response.text, "hypervolume")
    of = {(row["method"], row["seed"]): float(row["value"]) for row in volumes}
    differences = [of["gradient", seed] - of["random", seed] for seed in ("0", "1", "2")]
    assert found.pairs[0].difference is not None
    assert mean(differences) == pytest.approx(found.pairs[0].difference.value)
    assert {(row["share"], row["samples_used"], row["finished"]) for row in volumes} == {
        ("2000", "2000", "True")
    }
    steps = rows_of(response.text, "hypervolume_so_far")
    assert [row["samples"] for row in steps if (row["method"], row["seed"]) == ("random", "1")] == [
        "1000",
        "2000",
    ]


def test_the_client_asks_for_it(url: str, compared: Compared) -> None:
    job_id = compared()
    with BitfrontClient(url) as client:
        assert client.comparison(job_id).subject == "gradient"
        chosen = client.comparison(job_id, subject="random", accuracy="validation")
        assert (chosen.subject, chosen.accuracy) == ("random", "validation")
        by_test, by_validation = (
            rows_of(client.comparison_csv(job_id, accuracy=accuracy), "hypervolume")
            for accuracy in ("test", "validation")
        )
        assert float(by_test[0]["value"]) < float(by_validation[0]["value"])
        with pytest.raises(ApiError) as caught:
            client.comparison(job_id, subject="nonsense")
    assert caught.value.errors[0].parameter == "subject"
