"""Two jobs at a time on one Ray: a process and a lease each, one trace each from the request to the worker's
log, and both given back when the service is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.store import Store
from tests.integration.serving import JOB, Service, wait_until

pytestmark = pytest.mark.ray

TRACES = ("0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service for two jobs on one CPU."""
    found = Service(tmp_path, options=("--jobs", "2"), environment={"BITFRONT_CPUS": "1"})
    yield found
    if found.process.poll() is None:
        found.kill()


def submit(service: Service, seed: int, trace: str) -> str:
    job = {**JOB, "seeds": [seed], "methods": ["random"], "training": {"epochs": 60, "batch_size": 32}}
    job["compute"] = {"trials_per_study": 6, "concurrent_trials": 1, "cpus_per_trial": 0.5}
    answer = httpx.post(
        f"{service.client.url}/v1/jobs",
        json=job,
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def queue(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.client.url}/v1/queue", timeout=30).json()
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def test_jobs_run_side_by_side_under_one_trace_each_and_are_given_back(service: Service) -> None:
    ids = [submit(service, seed, trace) for seed, trace in enumerate(TRACES)]

    def both_train() -> dict[str, Any] | None:
        found = queue(service)
        return found if [job["trials_running"] for job in found["running"]] == [1, 1] else None

    found = wait_until(both_train)
    assert len({job["dispatcher"] for job in found["running"]}) == 2
    assert sorted(one["job_id"] for one in found["dispatchers"]) == sorted(ids)
    assert {one["ray"]["cpus"] for one in found["dispatchers"]} == {1.0}
    workers = service.home / "logs" / "workers.log"
    wait_until(lambda: workers.exists() and {line["job"] for line in lines(workers)} == set(ids))
    service.stop()
    said, trained = lines(service.log), lines(workers)
    for job_id, trace in zip(ids, TRACES, strict=True):
        request = next(line for line in said if line["event"] == "request" and line.get("trace_id") == trace)
        assert request["request_id"]
        about = [line for line in said if line.get("job") == job_id]
        assert {"job claimed", "attempt started", "job left"} <= {line["event"] for line in about}
        assert {line["trace_id"] for line in about} == {trace}
        one = next(line for line in trained if line["job"] == job_id)
        assert (one["trace_id"], one["attempt"], one["event"]) == (trace, 1, "trial opened")
    store = Store.open(service.database)
    with store.unit() as unit:
        assert [unit.jobs.get(job_id).state for job_id in ids] == ["queued", "queued"]
        assert unit.queue.dispatchers() == []
        assert unit.incidents.counts() == {}
    store.close()
    assert service.children() == []
