"""What pages follow to be up to date: whose events, from which on, and until when."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from service.web.live import Follow

MakeJob = Callable[..., str]
KINDS = ["job_state", "trial_started", "trial_finished", "point"]


def live(api: TestClient, path: str) -> dict[str, Any]:
    """The block that the script of a page reads."""
    block = re.search(r'id="live">(.*?)</script>', api.get(path).text, re.DOTALL)
    assert block is not None, path
    return dict(json.loads(block[1]))


def test_a_page_of_many_jobs_follows_all_that_it_shows_but_no_epochs() -> None:
    address = urlsplit(Follow(jobs=["job-a", "job-b"], batch="batch-c", label="x:y z").address(7))
    query = parse_qs(address.query)
    assert address.path == "/v1/events"
    assert query == {
        "job": ["job-a", "job-b"], "batch": ["batch-c"], "label": ["x:y z"], "kind": KINDS,
        "wait": ["600"], "after": ["7"],
    }  # fmt: skip


def test_the_page_of_a_job_follows_its_epochs_too() -> None:
    assert Follow(jobs=["job-a"], epochs=True).address(7) == "/v1/jobs/job-a/events?after=7"


PATHS = [
    "/jobs", "/jobs/{job}", "/jobs/{job}/trials", "/jobs/{job}/figures", "/jobs/{job}/comparison",
    "/trials/{trial}", "/fronts?job={job}", "/batches", "/ablations", "/queue",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_page_of_what_goes_on_says_when_it_was_read_and_follows(
    api: TestClient, job_with_points: MakeJob, path: str
) -> None:
    job = job_with_points(end=False)
    trial = api.get(f"/v1/jobs/{job}/trials").json()["items"][0]["id"]
    found = path.format(job=job, trial=trial)
    setup = live(api, found)
    assert 'id="updated"' in api.get(found).text
    assert setup["ended"] is ("/trials/" in path)  # that one has ended
    if setup["events"].startswith("/v1/events?"):
        assert api.get(setup["events"].replace("wait=600", "wait=0")).status_code == 200
    else:
        assert setup["events"].startswith(f"/v1/jobs/{job}/events?after=")


def test_what_has_ended_is_followed_no_longer(api: TestClient, job_with_points: MakeJob) -> None:
    job = job_with_points()
    for path in ("/jobs/{job}", "/jobs/{job}/trials", "/jobs/{job}/figures", "/fronts?job={job}"):
        assert live(api, path.format(job=job))["ended"] is True
    assert live(api, "/jobs")["ended"] is False


def test_nothing_that_happens_after_the_page_was_read_is_missed(
    api: TestClient, job_with_points: MakeJob, spec: dict[str, Any]
) -> None:
    job_with_points()
    events = live(api, "/jobs")["events"].replace("wait=600", "wait=0")
    assert "data:" not in api.get(events).text
    job = api.post("/v1/jobs", json=spec).json()["id"]
    assert job in api.get(events).text
