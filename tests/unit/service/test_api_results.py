"""Trials, points, checkpoints, fronts and events over REST, on results that were put in by hand."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.front_views import FrontView
from service.settings import Settings
from service.views import EventView, PointView, TrialView

MakeJob = Callable[..., str]


def events_of(text: str) -> list[EventView]:
    """The events of a stream."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [EventView.model_validate_json(line) for line in lines]


def test_lists_trials_and_filters_them(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/trials"
    everything = api.get(path).json()["items"]
    assert len(everything) == 8  # two methods, two seeds, two trials
    failed = api.get(path, params={"state": "failed", "method": "uniform", "seed": 1}).json()["items"]
    assert [(t["method"], t["seed"], t["reason"]) for t in failed] == [("uniform", 1, "nan_loss")]


def test_pages_through_trials(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/trials"
    first = api.get(path, params={"limit": 5}).json()
    second = api.get(path, params={"limit": 5, "cursor": first["next_cursor"]}).json()
    ids = [trial["id"] for page in (first, second) for trial in page["items"]]
    assert len(ids) == len(set(ids)) == 8
    assert second["next_cursor"] is None


def test_shows_a_trial_with_its_curve_attempts_and_points(api: TestClient, job_with_points: MakeJob) -> None:
    trials = api.get(f"/v1/jobs/{job_with_points()}/trials?state=succeeded").json()["items"]
    trial = TrialView.model_validate(api.get(f"/v1/trials/{trials[0]['id']}").json())
    assert (len(trial.epochs), len(trial.attempts), len(trial.point_ids)) == (1, 1, 1)
    assert api.get(f"/v1/points/{trial.point_ids[0]}").json()["trial_id"] == trial.id


def test_lists_points(api: TestClient, job_with_points: MakeJob) -> None:
    page = api.get(f"/v1/jobs/{job_with_points()}/points").json()
    points = [PointView.model_validate(point) for point in page["items"]]
    assert len(points) == 4
    assert all(point.provenance["threads"] == 1 for point in points)


def test_sends_a_checkpoint_with_its_hash(api: TestClient, job_with_points: MakeJob) -> None:
    point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
    response = api.get(f"/v1/points/{point['id']}/checkpoint")
    assert response.status_code == 200
    assert response.headers["x-checkpoint-sha256"] == hashlib.sha256(response.content).hexdigest()
    assert f"{point['id']}.safetensors" in response.headers["content-disposition"]


def test_says_when_a_checkpoint_is_gone(
    api: TestClient, settings: Settings, job_with_points: MakeJob
) -> None:
    point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
    for file in Path(settings.checkpoints).glob("*/*"):
        file.unlink()
    response = api.get(f"/v1/points/{point['id']}/checkpoint")
    assert (response.status_code, response.json()["code"]) == (404, "checkpoint_gone")


def test_the_front_is_by_the_budget_unless_told(api: TestClient, job_with_points: MakeJob) -> None:
    front = FrontView.model_validate(api.get(f"/v1/jobs/{job_with_points()}/front").json())
    assert (front.metric, front.budgets) == ("bit_budget", [2.0, 4.0])
    assert [(point.cost, point.validation_accuracy) for point in front.points] == [(1.5, 0.5), (2.5, 0.6)]
    assert all(point.on_front for point in front.points)
    # 0.5 from 1.5 to 2.5 and 0.6 from 2.5 to 4, over the reference cost 4 (design section 5, FrontView)
    assert front.hypervolume == pytest.approx((0.5 * 1.0 + 0.6 * 1.5) / 4)


def test_the_front_of_one_method_and_seed(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/front"
    points = api.get(path, params={"method": "uniform", "seed": 1}).json()["points"]
    assert [(point["method"], point["seed"]) for point in points] == [("uniform", 1)]


def test_all_points_adds_those_that_are_beaten(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/front"
    points = api.get(path, params={"all_points": True}).json()["points"]
    assert sorted(point["on_front"] for point in points) == [False, False, True, True]


def test_the_front_by_another_metric(api: TestClient, job_with_points: MakeJob) -> None:
    front = api.get(f"/v1/jobs/{job_with_points()}/front?metric=weight_kib").json()
    assert (front["metric"], front["scope"]) == ("weight_kib", "all")


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?format=csv", {}), ("", {"Accept": "text/csv"}), ("", {"Accept": "text/csv, */*"})],
)
def test_the_front_as_csv(
    api: TestClient, job_with_points: MakeJob, query: str, headers: dict[str, str]
) -> None:
    path = f"/v1/jobs/{job_with_points()}/front"
    response = api.get(path + query, headers=headers)
    rows = list(csv.DictReader(io.StringIO(response.text)))
    points = api.get(path).json()["points"]
    assert response.headers["content-type"].startswith("text/csv")
    assert [row["id"] for row in rows] == [point["id"] for point in points]
    assert float(rows[0]["cost"]) == points[0]["cost"]
    assert rows[0]["metric"] == "bit_budget"


def test_a_wanted_format_goes_before_the_accept_header(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/front?format=json"
    assert api.get(path, headers={"Accept": "text/csv"}).json()["metric"] == "bit_budget"


@pytest.mark.parametrize(("maximum", "cost"), [(2, 1.5), (4, 2.5), (1.5, 1.5)])
def test_the_best_point_under_a_budget(
    api: TestClient, job_with_points: MakeJob, maximum: float, cost: float
) -> None:
    point = PointView.model_validate(api.get(f"/v1/jobs/{job_with_points()}/best?max={maximum}").json())
    assert point.costs["searched"]["bit_budget"] == cost


def test_no_best_point_under_a_budget_none_keeps(api: TestClient, job_with_points: MakeJob) -> None:
    response = api.get(f"/v1/jobs/{job_with_points()}/best?max=1")
    assert (response.status_code, response.json()["code"]) == (404, "no_feasible_point")


def test_events_tell_everything_and_end_with_the_job(api: TestClient, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    response = api.get(f"/v1/jobs/{job_id}/events")
    events = events_of(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [event.data["state"] for event in events if event.kind == "job_state"] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert sum(event.kind == "trial_finished" for event in events) == 8
    assert [event.id for event in events] == sorted({event.id for event in events})


@pytest.mark.parametrize("by_header", [True, False])
def test_events_resume_after_the_last_that_was_seen(
    api: TestClient, job_with_points: MakeJob, by_header: bool
) -> None:
    path = f"/v1/jobs/{job_with_points()}/events"
    everything = events_of(api.get(path).text)
    last = everything[3].id
    if by_header:
        resumed = api.get(f"{path}?after=0", headers={"Last-Event-ID": str(last)})
    else:
        resumed = api.get(f"{path}?after={last}")
    assert events_of(resumed.text) == everything[4:]


def test_events_say_that_nothing_more_comes(api: TestClient, job_with_points: MakeJob) -> None:
    path = f"/v1/jobs/{job_with_points()}/events"
    last = events_of(api.get(path).text)[-1].id
    response = api.get(path, headers={"Last-Event-ID": str(last)})
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_events_refuse_what_is_not_an_id(api: TestClient, job_with_points: MakeJob, last: str) -> None:
    path = f"/v1/jobs/{job_with_points()}/events"
    response = api.get(path, headers={"Last-Event-ID": last.encode()})
    assert (response.status_code, response.json()["errors"][0]["parameter"]) == (422, "Last-Event-ID")
