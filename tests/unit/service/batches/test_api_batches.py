"""Batches over REST: submitting, looking, waiting, cancelling, and what is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.batches.views import BatchView

End = Callable[..., int]


def errors_of(response: Any) -> list[tuple[str, str]]:
    """Pointer and code of each error."""
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def jobs_of(api: TestClient, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/jobs?limit=100{query}").json()["items"]
    return items


def test_submission_answers_the_batch_and_queues_its_jobs(api: TestClient, batch: dict[str, Any]) -> None:
    response = api.post("/v1/job-batches", json=batch)
    found = BatchView.model_validate(response.json())
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/job-batches/{found.id}"
    assert api.get(response.headers["location"]).json() == response.json()
    assert (found.name, found.state, found.jobs, found.share_done) == ("small", "queued", 4, 0)
    assert found.jobs_by_state["queued"] == 4
    jobs = jobs_of(api, f"&batch={found.id}")
    assert found.trials_planned == sum(job["trials_planned"] for job in jobs) == 4 * 4
    assert [job["batch"]["index"] for job in jobs] == [3, 2, 1, 0]
    assert jobs[0]["batch"]["overrides"] == {"/architecture/width": 16, "/seeds": [1]}
    assert (jobs[0]["spec"]["architecture"]["width"], jobs[0]["spec"]["seeds"]) == (16, [1])
    assert [job["name"] for job in jobs] == ["small.4", "small.3", "small.2", "small.1"]


def test_jobs_run_in_the_order_of_the_batch(api: TestClient, api_store: Any, submitted: str) -> None:
    with api_store.unit() as unit:
        assert unit.jobs.claim("test", 60).spec.name == "small.1"


def test_a_list_of_whole_jobs(api: TestClient, spec: dict[str, Any]) -> None:
    jobs = [spec | {"name": "a"}, spec | {"name": "b", "seeds": [7]}]
    response = api.post("/v1/job-batches", json={"name": "pair", "jobs": jobs})
    assert (response.status_code, response.json()["name"]) == (202, "pair")
    assert {job["name"]: job["spec"]["seeds"] for job in jobs_of(api)} == {"a": [0, 1], "b": [7]}


def test_the_filter_shows_the_jobs_of_the_batch_alone(
    api: TestClient, submitted: str, spec: dict[str, Any]
) -> None:
    alone = api.post("/v1/jobs", json=spec).json()
    assert alone["batch"] is None
    assert len(jobs_of(api)) == 5
    assert len(jobs_of(api, f"&batch={submitted}")) == 4
    assert api.get("/v1/jobs?batch=batch-0123456789abcdef").status_code == 404
    assert api.get(f"/v1/jobs/{jobs_of(api)[1]['id']}").json()["batch"]["id"] == submitted


def test_a_key_used_again_returns_the_same_batch(api: TestClient, batch: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (api.post("/v1/job-batches", json=batch, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(jobs_of(api)) == 4
    other = api.post("/v1/job-batches", json=batch | {"name": "other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_progress_counts_jobs_by_state_and_ended_jobs_whole(
    api: TestClient, submitted: str, end_jobs: End
) -> None:
    end_jobs("succeeded", most=1)
    end_jobs("failed", most=1)
    found = BatchView.model_validate(api.get(f"/v1/job-batches/{submitted}").json())
    assert (found.state, found.jobs_ended, found.share_done) == ("running", 2, 0.5)
    assert (found.jobs_by_state["succeeded"], found.jobs_by_state["failed"]) == (1, 1)
    end_jobs()
    found = BatchView.model_validate(api.get(f"/v1/job-batches/{submitted}").json())
    assert (found.state, found.share_done) == ("failed", 1)


def test_cancelling_ends_every_job_and_again_changes_nothing(
    api: TestClient, api_store: Any, submitted: str, end_jobs: End
) -> None:
    end_jobs(most=1)
    with api_store.unit() as unit:
        unit.jobs.claim("test", 60)
    first, again = (api.post(f"/v1/job-batches/{submitted}/cancel") for _ in range(2))
    states = {state: count for state, count in first.json()["jobs_by_state"].items() if count}
    assert states == {"succeeded": 1, "cancelling": 1, "cancelled": 2}
    assert first.json() == again.json()
    events = api.get(f"/v1/jobs/{jobs_of(api)[0]['id']}/events").text
    assert events.count("event: job_state") == 2


def test_waiting_returns_once_all_jobs_have_ended(api: TestClient, submitted: str) -> None:
    threading.Timer(0.7, lambda: api.post(f"/v1/job-batches/{submitted}/cancel")).start()
    began = time.monotonic()
    assert api.get(f"/v1/job-batches/{submitted}?wait=20").json()["state"] == "cancelled"
    assert 0.5 < time.monotonic() - began < 15


def test_pages_run_from_the_newest_without_specs(api: TestClient, batch: dict[str, Any]) -> None:
    made = [api.post("/v1/job-batches", json=batch).json()["id"] for _ in range(3)]
    first = api.get("/v1/job-batches?limit=2").json()
    rest = api.get(f"/v1/job-batches?limit=2&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert all(one["spec"] is None for one in first["items"])
    assert api.get("/v1/job-batches?cursor=nonsense").status_code == 422


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"grid": {}}, []),
        ({"grid": {"/seeds": []}}, [("/grid/~1seeds", "out_of_range")]),
        ({"grid": {"/seeds": [0]}}, [("/grid/~1seeds/0", "wrong_type")]),
        ({"grid": {"/seeds": [[0], [-1]]}}, [("/grid/~1seeds/1/0", "out_of_range")]),
        ({"grid": {"/trainin/lr": [1, 2]}}, [("/grid/~1trainin~1lr", "unknown_field")]),
        ({"grid": {"/training/epoch": [1, 2]}}, [("/grid/~1training~1epoch/0", "unknown_field")] * 1),
        ({"grid": {"training.lr": [0.1, "x"]}}, [("/grid/training.lr/1", "wrong_type")]),
        ({"grid": {"/budget/max/1": [3, 0.5]}}, [("/template/budget/max/0", "infeasible")]),
        ({"jobs": [{}, {"dataset": {"name": "elsewhere"}}]}, [("/jobs/1/dataset/name", "data_missing")]),
        ({"grid": {"/name": ["a", "a.b", "-"]}}, [("/grid/~1name/2", "invalid_name")]),
        ({"jobs": [{"name": "same"}, {"name": "same"}], "grid": {}}, [("/jobs/1/name", "invalid")]),
        ({"jobs": [{}, {}], "grid": {}}, [("/jobs/1", "invalid")]),
        ({"grid": {"/training/lr": [1, 1.0]}}, [("/grid", "invalid")]),
        ({"jobs": [{"nme": "x"}], "grid": {}}, [("/jobs/0/nme", "unknown_field")]),
        ({"gird": {}}, [("/gird", "unknown_field")]),
        ({"jobs": [1]}, [("/jobs/0", "wrong_type")]),
        ({"template": [1]}, [("/template", "wrong_type")]),
    ],
)
def test_what_cannot_be_is_refused_by_its_place_and_stores_nothing(
    api: TestClient, batch: dict[str, Any], change: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    response = api.post("/v1/job-batches", json=batch | change)
    assert response.status_code == 422, response.text
    assert set(expected) <= set(errors_of(response))
    assert (len(errors_of(response)) > 0) == bool(expected)
    assert jobs_of(api) == []
    assert api.get("/v1/job-batches").json()["items"] == []


def test_the_combination_is_named(api: TestClient, batch: dict[str, Any]) -> None:
    response = api.post(
        "/v1/job-batches", json=batch | {"grid": {"/seeds": [[0], [1]], "/budget/max/0": [2, 0.5]}}
    )
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/grid/~1budget~1max~10/1", "infeasible")
    assert "job 2 of 4, with /seeds = [0], /budget/max/0 = 0.5; 1 more are refused" in error["detail"]


def test_one_mistake_in_the_template_is_told_once(api: TestClient, batch: dict[str, Any]) -> None:
    grid = {"/seeds": [[seed] for seed in range(500)]}
    template = batch["template"] | {"training": {"epochs": 0}}
    response = api.post("/v1/job-batches", json={"template": template, "grid": grid})
    assert errors_of(response) == [("/template/training/epochs", "out_of_range")]


def test_five_hundred_jobs_are_taken_and_one_more_is_not(api: TestClient, batch: dict[str, Any]) -> None:
    seeds = [[seed] for seed in range(501)]
    refused = api.post("/v1/job-batches", json={"template": batch["template"], "grid": {"/seeds": seeds}})
    assert (refused.status_code, errors_of(refused)) == (422, [("/grid", "invalid_input")])
    assert "501 jobs" in refused.json()["detail"]
    taken = api.post("/v1/job-batches", json={"template": batch["template"], "grid": {"/seeds": seeds[:500]}})
    assert (taken.status_code, taken.json()["jobs"]) == (202, 500)
    assert len(api.get(f"/v1/jobs?batch={taken.json()['id']}&limit=100").json()["items"]) == 100


def test_equal_architecture_and_data_are_planned_once(
    api: TestClient, batch: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = api.app.state.context  # type: ignore[attr-defined]  # starlette's state has no types
    plan, planned = context.catalogue.plan, []

    def counted(spec: Any, folder: Any) -> Any:
        planned.append(spec)
        return plan(spec, folder)

    object.__setattr__(context.catalogue, "plan", counted)
    grid = {"/architecture/width": [8, 16], "/seeds": [[seed] for seed in range(50)]}
    assert api.post("/v1/job-batches", json=batch | {"grid": grid}).status_code == 202
    assert len(planned) == 2


def test_nan_and_keys_that_are_there_twice_are_refused(api: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    endless = api.post("/v1/job-batches", content='{"grid": {"/training/lr": [NaN]}}', headers=headers)
    assert errors_of(endless) == [("/grid/~1training~1lr/0", "not_finite")]
    twice = api.post("/v1/job-batches", content='{"grid": {"/seeds": [1], "/seeds": [2]}}', headers=headers)
    assert (twice.status_code, twice.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("depth", [51, 400, 900, 100_000])
@pytest.mark.parametrize("field", ['"template": ', '"jobs": [', '"grid": {"/seeds": ['])
def test_deep_nesting_is_refused(api: TestClient, depth: int, field: str) -> None:
    closing = {"[": "]", "{": "]}"}.get(field[-1] if "grid" not in field else "{", "")
    body = "{" + field + '{"a":' * depth + "1" + "}" * depth + closing + "}"
    answer = api.post("/v1/job-batches", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("path", ["batch-0123456789abcdef", "job-1", "latest"])
def test_what_is_not_there_is_answered_with_404(api: TestClient, path: str) -> None:
    assert api.get(f"/v1/job-batches/{path}").status_code == 404
    assert api.post(f"/v1/job-batches/{path}/cancel").status_code == 404
