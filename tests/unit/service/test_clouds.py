"""Points of several jobs over REST: exact fronts, ranges, thinning, and hypervolume over compute."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from search.pareto import hypervolume
from service.clouds.views import CloudView
from service.figures.views import FigureView

MakeJob = Callable[..., str]


@pytest.fixture
def pair(job_with_points: MakeJob) -> tuple[str, str]:
    """A job, and one that is better under the greater budget alone."""
    return (
        job_with_points(accuracies={("random", 0): 0.8, ("random", 1): 0.85}),
        job_with_points(accuracies={("random", 0): 0.7, ("random", 1): 0.95}),
    )


def cloud(api: TestClient, query: str) -> CloudView:
    answer = api.get(f"/v1/fronts/points?{query}")
    assert answer.status_code == 200, answer.text
    return CloudView.model_validate(answer.json())


def test_points_are_those_of_the_overlay_with_every_cost(api: TestClient, pair: tuple[str, str]) -> None:
    query = f"job={pair[0]}&job={pair[1]}"
    found, overlay = cloud(api, query), api.get(f"/v1/fronts?{query}&all_points=true").json()
    assert {point["id"] for job in overlay["jobs"] for point in job["points"]} == {p.id for p in found.points}
    assert {point["id"] for point in overlay["front"]} == {p.id for p in found.points if p.on_front}
    assert (found.total, found.shown, [job.points for job in found.jobs]) == (8, 8, [4, 4])
    assert found.points[0].costs["s_ace"] == 400
    assert (found.points[0].mean_weight_bits, found.points[0].mean_steps) == (2.0, 1.0)


def test_thinning_leaves_the_fronts_and_says_what_it_left_out(api: TestClient, pair: tuple[str, str]) -> None:
    query = f"job={pair[0]}&job={pair[1]}&metric=s_ace"  # all cost the same
    whole, thin = cloud(api, query), cloud(api, f"{query}&most=0")
    assert (thin.total, thin.shown) == (8, len(thin.points))
    assert thin.points == [point for point in whole.points if point.on_own_front]
    assert 0 < thin.shown < 8


def test_a_region_chooses_points_and_changes_no_front(api: TestClient, pair: tuple[str, str]) -> None:
    query = f"job={pair[0]}&job={pair[1]}"
    whole = cloud(api, query).points
    part = cloud(api, f"{query}&cost_min=2&cost_max=3&score_min=0.8&score_max=0.9")
    assert part.points == [p for p in whole if 2 <= p.cost <= 3 and 0.8 <= p.score <= 0.9]
    assert 0 < part.total < 8
    assert not any(point.on_front for point in part.points)  # what beats them lies outside
    by_test = cloud(api, f"{query}&score_min=0.8&accuracy=test").points
    assert {p.id for p in by_test} == {p.id for p in whole if p.test_score >= 0.8}


def test_methods_seeds_and_metrics_are_chosen(api: TestClient, pair: tuple[str, str]) -> None:
    query = f"job={pair[0]}&job={pair[1]}&method=uniform&seed=1&metric=s_ace"
    found = cloud(api, query)
    assert {(p.method, p.seed, p.cost) for p in found.points} == {("uniform", 1, 400.0)}
    assert (found.methods, found.seeds, found.metric) == (["random", "uniform"], [0, 1], "s_ace")
    overlay = api.get(f"/v1/fronts?{query}&method=random&seed=0").json()
    assert (overlay["methods"], overlay["seeds"], overlay["method"]) == (["uniform", "random"], [1, 0], None)
    one_seed = api.get(f"/v1/fronts?job={pair[0]}&seed=0&all_points=true").json()
    assert {p["seed"] for p in one_seed["jobs"][0]["points"]} == {0}


def test_a_label_names_jobs(api: TestClient, pair: tuple[str, str]) -> None:
    api.patch(f"/v1/jobs/{pair[1]}/labels", json={"paper": "one"})
    assert [job.job_id for job in cloud(api, "label=paper:one").jobs] == [pair[1]]
    refused = api.get("/v1/fronts/points?label=paper:two")
    assert (refused.status_code, refused.json()["errors"][0]["detail"]) == (422, "no job has these labels.")


def test_csv_has_every_cost(api: TestClient, pair: tuple[str, str]) -> None:
    answer = api.get(f"/v1/fronts/points?job={pair[0]}&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (len(rows), rows[0]["cost_s_ace"], rows[0]["cost_table"]) == (4, "400.0", "")


@pytest.mark.parametrize(
    "query", ["cost_min=3&cost_max=2", "seed=9", "method=tpe", "metric=x", "score_min=2"]
)
def test_what_cannot_be_is_refused(api: TestClient, pair: tuple[str, str], query: str) -> None:
    assert api.get(f"/v1/fronts/points?job={pair[0]}&{query}").status_code == 422


@pytest.mark.parametrize("over", ["compute", "time"])
def test_the_hypervolume_ends_where_the_front_is(api: TestClient, pair: tuple[str, str], over: str) -> None:
    answer = api.get(f"/v1/fronts/hypervolume?job={pair[0]}&job={pair[1]}&over={over}").json()
    figure = FigureView.model_validate(answer)
    assert len(figure.series) == 2
    values = [point.spread.mean for point in figure.series[1].points]
    assert values == sorted(values)
    front = [p for p in cloud(api, f"job={pair[1]}").points if p.on_front]
    assert values[-1] == pytest.approx(hypervolume([p.cost for p in front], [p.score for p in front], 4))
    if over == "compute":
        assert figure.series[0].points[-1].x == pytest.approx(0.032)  # four trials of 8,000 samples
