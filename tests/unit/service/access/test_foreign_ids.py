"""Every route that takes an id, with an id of another workspace: as if it were not there.

The routes are those of the application, so a new one fails here until it says how its owner calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from service.store import Store

QUERIES = {"/v1/jobs/{job_id}/best": {"max": 9}}
"""What a route needs beside its ids."""


@pytest.fixture
def owned(api: TestClient, job_with_points: Callable[..., str], spec: dict[str, Any]) -> dict[str, str]:
    """An id of red's for every kind that a path may have."""
    job_id = job_with_points()
    point = api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]
    ablation = api.post("/v1/ablations", json={"job": spec | {"name": "base"}, "groups": ["steps"]}).json()
    return {
        "job_id": job_id,
        "trial_id": point["trial_id"],
        "point_id": point["id"],
        "ablation_id": ablation["id"],
    }


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """The (method, path) of every route."""
    found = [
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in sorted(getattr(context, "methods", None) or ())
        if method != "HEAD"
    ]
    assert ("GET", "/v1/points/{point_id}/checkpoint") in found  # the pages and the API alike
    assert ("GET", "/jobs/{job_id}/comparison") in found
    return found


def address(client: TestClient, path: str, ids: dict[str, str]) -> str:
    """The path with ids in place of its parameters."""
    if path.endswith("/{key}"):
        figures = client.get(path.removesuffix("/{key}").format(**ids)).json()
        return path.format(**ids, key=figures[0]["key"])
    return path.format(**ids)


def test_another_workspaces_ids_are_not_there(
    app: FastAPI, api: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    tried = 0
    for method, path in routes_of(app):
        if "{" not in path:
            continue
        unknown = set(re.findall(r"{(\w+)", path)) - {*owned, "key"}
        assert not unknown, f"{path}: say above which id of red's is its {unknown}"
        at, query = address(api, path, owned), QUERIES.get(path)
        foreign = blue.request(method, at, params=query)
        assert foreign.status_code == 404, f"{method} {path}"
        answered = re.sub(r"[0-9a-f]{16}", "x", foreign.text)
        absent = {name: re.sub(r"[0-9a-f]{16}$", "0" * 16, value) for name, value in owned.items()}
        nothing = blue.request(method, path.format(**absent, key=at.rsplit("/", 1)[1]), params=query)
        assert answered == re.sub(r"[0-9a-f]{16}", "x", nothing.text), f"{path} tells that it is there"
        assert api.request(method, at, params=query).status_code < 300, f"{method} {path}"
        tried += 1
    assert tried >= 20


def test_no_route_without_an_id_shows_another_workspaces(
    app: FastAPI, api: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    shown = 0
    for method, path in routes_of(app):
        if method == "GET" and "{" not in path:
            assert not [one for one in owned.values() if one in blue.get(path).text], path
            shown += any(one in api.get(path).text for one in owned.values())
    assert shown >= 4  # /jobs, /ablations, and both over REST


def test_csv_of_another_workspace_is_not_there(
    api: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    for path in ("/v1/jobs/{job_id}/front", "/v1/jobs/{job_id}/comparison", "/v1/ablations/{ablation_id}"):
        at = path.format(**owned)
        assert api.get(at, params={"format": "csv"}).status_code == 200
        for given in ({"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}):
            assert blue.get(at, **given).status_code == 404


def test_cancelling_anothers_job_changes_nothing(
    api: TestClient, blue: TestClient, spec: dict[str, Any]
) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    assert blue.post(f"/v1/jobs/{job_id}/cancel").status_code == 404
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"


def test_cursors_of_another_workspace_lead_to_nothing_of_it(
    api: TestClient, blue: TestClient, spec: dict[str, Any]
) -> None:
    for _ in range(2):
        api.post("/v1/jobs", json=spec)
    cursor = api.get("/v1/jobs", params={"limit": 1}).json()["next_cursor"]
    assert blue.get("/v1/jobs", params={"cursor": cursor}).json()["items"] == []


def test_every_route_but_the_open_ones_asks_for_a_key(
    app: FastAPI, call_as: Callable[[str | None], TestClient], owned: dict[str, str], api_store: Store
) -> None:
    nobody = call_as(None)
    open_ones = {"/livez", "/readyz", "/sign-in", "/sign-out"}
    for method, path in routes_of(app):
        at = re.sub(r"{(\w+)}", lambda found: owned.get(found[1], "x"), path)
        answer = nobody.request(method, at)
        if path in open_ones:
            assert answer.status_code in {200, 403}, path
        elif path.startswith(("/v1", "/metrics")):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bitfront"'
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in?next=%2F"), path
