"""Submitting, listing, waiting for and cancelling jobs over REST."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.store import Store
from service.views import JobView, PlanView


def test_submission_answers_the_whole_job_and_where_it_is(api: TestClient, spec: dict[str, Any]) -> None:
    response = api.post("/v1/jobs", json=spec)
    job = JobView.model_validate(response.json())
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{job.id}"
    assert api.get(response.headers["location"]).json() == response.json()
    assert (job.state, job.trials_planned) == ("queued", 2 * 2 * 2)  # methods, seeds, trials
    assert job.spec["training"]["epochs"] == 8  # defaults are written out


def test_a_key_used_again_returns_the_same_job(api: TestClient, spec: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (api.post("/v1/jobs", json=spec, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert again.status_code == 202
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(api.get("/v1/jobs").json()["items"]) == 1


def test_a_key_used_for_another_job_is_a_conflict(api: TestClient, spec: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    api.post("/v1/jobs", json=spec, headers=headers)
    response = api.post("/v1/jobs", json=spec | {"name": "other"}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert len(api.get("/v1/jobs").json()["items"]) == 1


def test_validating_answers_the_plan_and_stores_nothing(api: TestClient, spec: dict[str, Any]) -> None:
    response = api.post("/v1/jobs?validate_only=true", json=spec, headers={"Idempotency-Key": "k"})
    plan = PlanView.model_validate(response.json())
    assert response.status_code == 200
    assert (plan.trials, plan.samples_per_study) == (8, 2 * 1000)
    assert [(layer.name, layer.searched) for layer in plan.layers] == [("conv1", True)]
    assert plan.costs == {"bit_budget": (1.0, 192.0)}
    assert api.get("/v1/jobs").json()["items"] == []


def test_a_plan_says_how_many_architectures_there_are_and_whose_layers_it_shows(
    api: TestClient, spec: dict[str, Any]
) -> None:
    searching = spec | {"search_space": {"width": [8, 4], "kernel": [3, 5]}}
    plan = PlanView.model_validate(api.post("/v1/jobs?validate_only=true", json=searching).json())
    assert (plan.architectures, plan.settings) == (4, {"kernel": 3, "width": 8})
    alone = PlanView.model_validate(api.post("/v1/jobs?validate_only=true", json=spec).json())
    assert (alone.architectures, alone.settings) == (1, {})


def test_only_a_job_with_a_search_space_is_stored_with_one(api: TestClient, spec: dict[str, Any]) -> None:
    assert "search_space" not in api.post("/v1/jobs", json=spec).json()["spec"]
    space = {"width": [8, 4]}
    assert api.post("/v1/jobs", json=spec | {"search_space": space}).json()["spec"]["search_space"] == space


def test_pages_through_all_jobs_newest_first(api: TestClient, spec: dict[str, Any]) -> None:
    made = [api.post("/v1/jobs", json=spec | {"name": f"job{number}"}).json()["id"] for number in range(5)]
    seen, cursor = [], None
    while True:
        page = api.get("/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_lists_jobs_of_one_state(api: TestClient, spec: dict[str, Any]) -> None:
    kept, gone = (api.post("/v1/jobs", json=spec).json()["id"] for _ in range(2))
    api.post(f"/v1/jobs/{gone}/cancel")
    queued = api.get("/v1/jobs?state=queued").json()["items"]
    assert [job["id"] for job in queued] == [kept]


def test_cancelling_again_changes_nothing(api: TestClient, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    first, again = (api.post(f"/v1/jobs/{job_id}/cancel") for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert first.json() == again.json()


def test_waiting_returns_as_soon_as_the_job_ends(api: TestClient, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    threading.Timer(0.7, lambda: api.post(f"/v1/jobs/{job_id}/cancel")).start()
    began = time.monotonic()
    job = api.get(f"/v1/jobs/{job_id}?wait=20").json()
    assert job["state"] == "cancelled"
    assert 0.5 < time.monotonic() - began < 10


def test_waiting_ends_after_its_time(api: TestClient, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    began = time.monotonic()
    assert api.get(f"/v1/jobs/{job_id}?wait=0.6").json()["state"] == "queued"
    assert 0.5 < time.monotonic() - began < 5


def test_waiting_ends_when_the_service_stops(api: TestClient, app: FastAPI, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    app.state.context.stopping.set()
    began = time.monotonic()
    assert api.get(f"/v1/jobs/{job_id}?wait=20").status_code == 200
    assert time.monotonic() - began < 5


def test_an_event_stream_of_a_service_that_stops_ends_with_the_time_to_come_again(
    url: str, app: FastAPI, spec: dict[str, Any]
) -> None:
    job_id = httpx.post(f"{url}/v1/jobs", json=spec).json()["id"]
    with httpx.stream("GET", f"{url}/v1/jobs/{job_id}/events", timeout=60) as told:
        lines = told.iter_lines()
        assert next(lines) == "event: job_state"
        app.state.context.stopping.set()
        assert [line for line in lines if line][-1] == "retry: 3000"


def test_says_whether_it_lives_and_is_ready(api: TestClient) -> None:
    assert api.get("/livez").json() == {"status": "alive"}
    assert api.get("/readyz").json()["status"] == "ready"


def test_is_not_ready_without_its_schema(
    api: TestClient, api_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_store, "at_head", lambda: False)
    response = api.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "not_ready")
    assert "schema" in response.json()["detail"]


def test_is_not_ready_without_its_database(
    api: TestClient, api_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bool:
        raise OSError("secret: password")

    monkeypatch.setattr(api_store, "at_head", broken)
    response = api.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "not_ready")
    assert "secret" not in response.text


def test_is_not_ready_without_its_home(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.room.tempfile.TemporaryFile", full)
    response = api.get("/readyz")
    assert response.status_code == 503
    assert "No space left" in response.json()["detail"]


def test_an_unforeseen_error_shows_no_internals(
    api: TestClient, api_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret: password")

    monkeypatch.setattr(api_store, "unit", broken)
    response = api.get("/v1/jobs")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/livez", "/v1/jobs", "/v1/jobs/none", "/nothing", "/jobs"])
def test_every_answer_carries_the_security_headers(api: TestClient, path: str) -> None:
    headers = api.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy  # scripts fall under default-src: files of the service, nothing inline
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_counts_requests_by_route_and_jobs_by_state(
    api: TestClient, spec: dict[str, Any], job_with_points: Callable[..., str]
) -> None:
    api.get(f"/v1/jobs/{job_with_points()}")
    api.get("/v1/jobs/nothing")
    api.post("/v1/jobs", json=spec)
    text = api.get("/metrics").text
    assert 'bitfront_requests_total{method="GET",route="/v1/jobs/{job_id}",status="200"} 1.0' in text
    assert 'bitfront_requests_total{method="GET",route="/v1/jobs/{job_id}",status="404"} 1.0' in text
    assert 'bitfront_jobs{state="succeeded"} 1.0' in text
    assert 'bitfront_jobs{state="queued"} 1.0' in text
    assert "bitfront_request_seconds_bucket" in text


@pytest.mark.parametrize(
    ("path", "names"),
    [("architectures", ["conv-net"]), ("datasets", ["digits"]), ("methods", ["random", "uniform"])],
)
def test_lists_what_a_job_may_name(api: TestClient, path: str, names: list[str]) -> None:
    assert [entry["name"] for entry in api.get(f"/v1/{path}").json()] == names
