"""Entity tags: on every GET that answers JSON, and on nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.etag import matches, tag_of

ANSWERS = (
    "/v1/jobs",
    "/v1/jobs/{job}",
    "/v1/jobs/{job}/trials",
    "/v1/jobs/{job}/points",
    "/v1/jobs/{job}/front",
    "/v1/jobs/{job}/best?max=4",
    "/v1/jobs/{job}/comparison",
    "/v1/jobs/{job}/figures",
    "/v1/job-batches",
    "/v1/ablations",
    "/v1/methods",
    "/v1/openapi.json",
    "/livez",
)


@pytest.mark.parametrize("path", ANSWERS)
def test_what_has_not_changed_is_not_sent_again(
    api: TestClient, job_with_points: Callable[..., str], path: str
) -> None:
    address = path.format(job=job_with_points())
    first = api.get(address)
    assert first.status_code == 200, first.text
    tag = first.headers["etag"]
    again = api.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "private, no-cache"
    assert again.headers["vary"] == first.headers["vary"] == "Accept, Authorization, Cookie"
    assert "content-length" not in again.headers
    assert api.get(address, headers={"If-None-Match": 'W/"other"'}).json() == first.json()


def test_what_has_changed_is_sent(api: TestClient, spec: dict[str, Any]) -> None:
    address = api.post("/v1/jobs", json=spec).headers["location"]
    tag = api.get(address).headers["etag"]
    api.patch(f"{address}/labels", json={"a": "b"})
    changed = api.get(address, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["labels"]) == (200, {"a": "b"})
    assert changed.headers["etag"] != tag


def test_waiting_holds_the_answer_back_before_it_is_compared(api: TestClient, spec: dict[str, Any]) -> None:
    address = api.post("/v1/jobs", json=spec).headers["location"]
    headers = {"If-None-Match": api.get(address).headers["etag"]}
    began = time.monotonic()
    assert api.get(f"{address}?wait=0.6", headers=headers).status_code == 304
    assert time.monotonic() - began > 0.5
    threading.Timer(0.5, lambda: api.post(f"{address}/cancel")).start()
    assert api.get(f"{address}?wait=20", headers=headers).json()["state"] == "cancelled"


def test_other_answers_have_no_tag(api: TestClient, job_with_points: Callable[..., str]) -> None:
    job_id = job_with_points()
    paths = ("/v1/jobs/none", f"/v1/jobs/{job_id}/front?format=csv", f"/v1/jobs/{job_id}/events", "/jobs")
    assert [api.get(path).headers.get("etag") for path in paths] == [None] * 4
    assert "etag" not in api.post(f"/v1/jobs/{job_id}/cancel").headers
    assert {api.get(path).headers["vary"] for path in paths} == {"Accept, Authorization, Cookie"}


@pytest.mark.parametrize(
    ("wanted", "same"),
    [("*", True), ("{tag}", True), ('"a", {tag}', True), ("{strong}", True), ('"a"', False), ("", False)],
)
def test_tags_are_compared_weakly(wanted: str, same: bool) -> None:
    tag = tag_of(b"{}")
    assert matches(wanted.format(tag=tag, strong=tag.removeprefix("W/")), tag) is same
