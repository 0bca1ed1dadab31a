"""Reruns over REST and in the dispatcher: the same training, and whether it came out the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.errors import ClusterUnavailableError
from service.dispatcher import Dispatcher
from service.errors import StaleLeaseError
from service.settings import Settings
from service.store import Store
from service.workspaces import Quotas
from workers.report import PointResult, TrialFailure, TrialOutcome

Run = Callable[[Any, Any], None]


@pytest.fixture
def point(api: TestClient, job_with_points: Callable[..., str]) -> dict[str, Any]:
    """A stored point."""
    found = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
    return dict(api.get(f"/v1/points/{found['id']}").json())


def again(point: dict[str, Any], **changes: Any) -> TrialOutcome:
    """What a training reaches that comes out as the point was stored, but for changes."""
    names = ("allocation", "costs", "cost_versions", "rates", "checkpoint_sha256")
    measured = [name for name in point if name.startswith(("validation_", "test_")) and name != "test_score"]
    result = PointResult(
        checkpoint="point-0.safetensors", **{name: point[name] for name in (*names, *measured)}
    )
    return TrialOutcome(points=(replace(result, **changes),), epochs=8, samples=1)


def dispatch(settings: Settings, store: Store, run: Run, stop: threading.Event | None = None) -> bool:
    return Dispatcher(settings, store, run=run, stop=stop or threading.Event()).work_once()


def trainer(outcome: TrialOutcome | TrialFailure, asked: list[Any] | None = None) -> Run:
    """An engine whose trial ends like this."""

    def run(feed: Any, spec: Any) -> None:
        request = feed.next_trial()
        if asked is not None:
            asked.extend([request, spec])
        assert feed.next_trial() == "finished"
        feed.started(request.trial_id)
        if isinstance(outcome, TrialFailure):
            feed.failed(request.trial_id, outcome)
        else:
            feed.succeeded(request.trial_id, outcome)

    return run


def test_a_rerun_trains_what_was_stored_and_says_that_it_is_the_same(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    at = f"/v1/points/{point['id']}"
    answer = api.post(f"{at}/rerun")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    twice = api.post(f"{at}/rerun")
    assert (twice.json(), twice.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    webhook = api.post("/v1/webhooks", json={"url": "https://a.org", "events": ["rerun.succeeded"]}).json()
    folder = settings.checkpoints / answer.json()["id"]
    folder.mkdir()
    asked: list[Any] = []
    assert dispatch(settings, api_store, trainer(again(point), asked))
    request, spec = asked
    assert (request.seed, request.spec) == (point["seed"], point["spec"])
    assert request.proposal == point["proposal"]
    assert spec.name == "small"
    ended = api.get(answer.headers["location"], params={"wait": 5}).json()
    assert (ended["state"], ended["same"], ended["same_weights"]) == ("succeeded", True, True)
    assert {one["name"]: (one["stored"], one["again"]) for one in ended["measures"]} == {
        name: (point[name], point[name]) for name in ("validation_accuracy", "test_accuracy")
    }
    assert not folder.exists()
    sent = api.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["items"]
    assert [one["event"] for one in sent] == ["rerun.succeeded"]
    assert not dispatch(settings, api_store, trainer(again(point)))
    assert api.post(f"{at}/rerun").json()["id"] != ended["id"]  # a new one
    assert [one["state"] for one in api.get(f"{at}/reruns").json()] == ["queued", "succeeded"]


def test_a_rerun_whose_cluster_lost_every_node_waits(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    def run(feed: Any, spec: Any) -> None:
        raise ClusterUnavailableError("no node of the cluster runs trials.")

    asked = api.post(f"/v1/points/{point['id']}/rerun")
    assert dispatch(settings, api_store, run)
    assert api.get(asked.headers["location"]).json()["state"] == "queued"


def test_a_rerun_that_reaches_the_same_weights_puts_a_pruned_checkpoint_back(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    at = f"/v1/points/{point['id']}"
    (kept,) = settings.checkpoints.glob(f"{point['trial_id']}/*")
    content = kept.read_bytes()
    kept.unlink()
    gone = api.get(f"{at}/checkpoint").json()
    assert (gone["code"], f"bitfront rerun {point['id']} --on-service" in gone["detail"]) == (
        "checkpoint_gone",
        True,
    )
    folder = settings.checkpoints / api.post(f"{at}/rerun").json()["id"]
    folder.mkdir()
    (folder / kept.name).write_bytes(content)
    assert dispatch(settings, api_store, trainer(again(point)))
    assert api.get(f"{at}/checkpoint").content == content
    assert not folder.exists()


def test_what_comes_out_otherwise_is_told(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    outcomes: list[tuple[Any, str, bool | None]] = [
        (again(point, test_accuracy=point["test_accuracy"] + 1e-12), "succeeded", False),
        (again(point, allocation={}), "succeeded", False),
        (TrialFailure(reason="out_of_memory", message="no room"), "failed", None),
    ]
    for outcome, state, same in outcomes:
        rerun = api.post(f"/v1/points/{point['id']}/rerun").json()["id"]
        assert dispatch(settings, api_store, trainer(outcome))
        ended = api.get(f"/v1/reruns/{rerun}").json()
        assert (ended["state"], ended["same"]) == (state, same)
    assert ended["error"] == "out_of_memory: no room"


def test_an_error_ends_the_rerun_and_a_stop_gives_it_back(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    stop = threading.Event()

    def stopped(feed: Any, spec: Any) -> None:
        feed.next_trial()
        stop.set()
        feed.failed("x", TrialFailure(reason="error", message="its worker went"))
        assert feed.cancelled()

    def broken(feed: Any, spec: Any) -> None:
        raise RuntimeError("a mistake of ours")

    rerun = api.post(f"/v1/points/{point['id']}/rerun").json()["id"]
    for run, state in ((stopped, "queued"), (broken, "failed")):
        assert dispatch(settings, api_store, run, stop)
        assert api.get(f"/v1/reruns/{rerun}").json()["state"] == state
        stop.clear()


def test_a_rerun_whose_dispatcher_died_is_taken_over_and_the_late_one_changes_nothing(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    rerun = api.post(f"/v1/points/{point['id']}/rerun").json()["id"]
    with api_store.unit() as unit:
        dead = unit.reruns.claim("dead", 0.0)
    assert dead is not None
    assert dispatch(settings, api_store, trainer(again(point)))
    with api_store.unit() as unit, pytest.raises(StaleLeaseError):
        unit.reruns.fail(dead, "late")
    assert api.get(f"/v1/reruns/{rerun}").json()["same"] is True


def test_reruns_count_against_the_quota_of_trials(
    api: TestClient, api_store: Store, point: dict[str, Any]
) -> None:
    planned = sum(one["trials_planned"] for one in api.get("/v1/jobs").json()["items"])
    with api_store.unit() as unit:
        unit.workspaces.set_quotas("default", Quotas(trials_per_day=planned))
    problem = api.post(f"/v1/points/{point['id']}/rerun")
    assert (problem.status_code, problem.json()["code"]) == (429, "quota_exceeded")


def test_the_point_page_has_the_button_and_the_outcome(
    api: TestClient, api_store: Store, settings: Settings, point: dict[str, Any]
) -> None:
    at = f"/points/{point['id']}"
    page = api.get(at).text
    assert "Rerun exactly" in page
    answer = api.post(f"{at}/rerun", headers={"Origin": settings.url}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{at}#reruns")
    assert "waiting" in api.get(at).text
    assert dispatch(settings, api_store, trainer(again(point)))
    assert "exactly the same" in api.get(at).text
