"""The queue over REST: priorities, traces, incidents, metrics, and what other workspaces may not see."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from service.queue.line import Share, places
from service.store import Store
from service.trace import trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def submit(api: TestClient, spec: dict[str, Any], **beside: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", json=spec | beside, headers={"traceparent": PARENT})
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_a_priority_orders_the_queue_and_is_no_part_of_what_is_trained(
    api: TestClient, spec: dict[str, Any]
) -> None:
    late, soon = submit(api, spec), submit(api, spec, priority=5)
    assert (soon["priority"], late["priority"]) == (5, 0)
    assert soon["spec"] == late["spec"]
    queued = api.get("/v1/queue").json()["queued"]
    assert [(job["id"], job["place"]) for job in queued] == [(soon["id"], 1), (late["id"], 2)]
    assert api.put(f"/v1/jobs/{late['id']}/priority", json={"priority": 9}).json()["priority"] == 9
    assert [job["id"] for job in api.get("/v1/queue").json()["queued"]] == [late["id"], soon["id"]]
    assert api.post(f"/v1/jobs/{late['id']}/clone", json={}).json()["priority"] == 9
    batch = {"template": spec | {"priority": -3}, "grid": {"/seeds": [[3], [4]]}}
    made = api.post("/v1/job-batches", json=batch).json()["id"]
    jobs = api.get("/v1/jobs", params={"batch": made}).json()["items"]
    assert [job["priority"] for job in jobs] == [-3, -3]


@pytest.mark.parametrize("priority", [10, 1.5, "high"])
def test_refuses_a_priority_out_of_range(api: TestClient, spec: dict[str, Any], priority: Any) -> None:
    answer = api.post("/v1/jobs", json=spec | {"priority": priority})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/priority"


def test_a_job_keeps_the_trace_of_its_request(api: TestClient, spec: dict[str, Any]) -> None:
    assert submit(api, spec)["trace_id"] == TRACE
    answer = api.post("/v1/jobs", json=spec)
    assert answer.json()["trace_id"] == answer.headers["X-Trace-ID"] != TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"{PARENT}-more",
    ],
)
def test_a_traceparent_that_is_none_gives_a_new_trace(header: str | None) -> None:
    found = trace_of(header)
    assert found != TRACE
    assert trace_of(f"00-{found}-b7ad6b7169203331-01") == found


def test_a_later_version_of_traceparent_may_say_more() -> None:
    assert trace_of(f"01-{TRACE}-b7ad6b7169203331-01-more") == TRACE


def test_incidents_are_listed_as_json_and_csv(
    api: TestClient, api_store: Store, spec: dict[str, Any]
) -> None:
    job_id = submit(api, spec)["id"]
    with api_store.unit() as unit:
        unit.incidents.late_result(job_id, trial_id="trial-0", what="success", dispatcher="a", token=3)
    path = f"/v1/jobs/{job_id}/incidents"
    (found,) = api.get(path).json()["items"]
    assert (found["kind"], found["what"], found["token"]) == ("late_result", "success", 3)
    head, row = api.get(path, params={"format": "csv"}).text.splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["dispatcher"] == "a"
    assert "late_result" not in api.get("/jobs").text
    page = api.get(f"/jobs/{job_id}").text
    assert "Incidents" in page
    assert "success, rejected" in page


def test_the_metrics_hold_for_all_processes(
    api: TestClient, api_store: Store, job_with_points: Any, spec: dict[str, Any]
) -> None:
    job_id = job_with_points()
    submit(api, spec)
    with api_store.unit() as unit:
        unit.incidents.late_result(job_id, trial_id="t", what="epoch", dispatcher="a", token=1)
    text = api.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines["bitfront_late_results_total"] == "1.0"
    assert lines["bitfront_lease_expiries_total"] == "0.0"
    assert float(lines["bitfront_oldest_queued_seconds"]) > 0
    assert lines['bitfront_jobs{state="queued"}'] == "1.0"
    assert lines['bitfront_dispatchers{state="alive"}'] == "0.0"
    count = float(lines['bitfront_trial_seconds_count{state="succeeded"}'])
    assert count == float(lines['bitfront_trial_seconds_bucket{le="+Inf",state="succeeded"}']) >= 1
    assert any(line.startswith("bitfront_request_seconds_bucket") for line in lines)


def test_a_database_that_is_gone_is_named(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: Store) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(Store, "unit", gone)
    answer = api.get("/v1/queue")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    page = api.get("/queue", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "database cannot be reached" in page.text


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=5))
def test_every_place_in_line_is_taken_once(sizes: list[tuple[int, int]]) -> None:
    shares = [
        Share(workspace=str(name), waiting=waiting, running=running, last_claimed_at=None)
        for name, (waiting, running) in enumerate(sizes)
    ]
    found = [places(shares, share.workspace, 99) for share in shares]
    assert [len(own) for own in found] == [share.waiting for share in shares]
    assert sorted(place for own in found for place in own) == list(
        range(1, sum(waiting for waiting, _ in sizes) + 1)
    )
    assert all(own == sorted(own) for own in found)
