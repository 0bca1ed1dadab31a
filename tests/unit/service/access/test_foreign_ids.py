"""Every route that takes an id, with an id of another workspace: as if it were not there.

The routes are those of the application, so a new one fails here until it says how its owner calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from safetensors.numpy import save

from service.settings import Settings
from service.store import Store

QUERIES = {"/v1/jobs/{job_id}/best": {"max": 9}, "/v1/jobs/{job_id}/fit": {"weight_kib": 9}}
"""What a route needs beside its ids."""
OWN_ANSWERS = {"/v1/points/{point_id}/export": 409}
"""What the owner is told where that is no success: a made-up checkpoint cannot be exported."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/jobs/{job_id}/labels": {"paper": "figure-3"},
    "/v1/jobs/{job_id}/clone": {"name": "again"},
    "/v1/jobs/{job_id}/priority": {"priority": 3},
}
HOOK = "https://hooks.example.org/"
"""What a route that writes needs as its body."""


ID = re.compile("[0-9a-f]{16}|[0-9a-f]{12}")


@pytest.fixture
def red(make_key: Callable[..., Any], call_as: Callable[[str], TestClient]) -> TestClient:
    """Red's, with every right."""
    return call_as(make_key("red", "admin").text)


@pytest.fixture
def owned(api: TestClient, job_with_points: Callable[..., str], spec: dict[str, Any]) -> dict[str, str]:
    """An id of red's for every kind that a path may have."""
    job_id = job_with_points()
    point = api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]
    ablation = api.post("/v1/ablations", json={"job": spec | {"name": "base"}, "groups": ["steps"]}).json()
    batch = api.post("/v1/job-batches", json={"template": spec, "grid": {"/seeds": [[0], [1]]}}).json()
    rerun = api.post(f"/v1/points/{point['id']}/rerun").json()
    return {
        "rerun_id": rerun["id"],
        "batch_id": batch["id"],
        "job_id": job_id,
        "trial_id": point["trial_id"],
        "point_id": point["id"],
        "other_id": point["id"],
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
    app: FastAPI, red: TestClient, blue: TestClient, owned: dict[str, str], settings: Settings
) -> None:
    tried = 0
    for method, path in routes_of(app):
        if "{" not in path:
            continue
        ids = owned | made_for_one(red, path)
        unknown = set(re.findall(r"{(\w+)", path)) - {*ids, "key"}
        assert not unknown, f"{path}: say above which id of red's is its {unknown}"
        at, given = address(red, path, ids), {"params": QUERIES.get(path), "json": BODIES.get(path)}
        given["headers"] = {"Origin": settings.url}  # as our own pages' forms do
        foreign = blue.request(method, at, **given)
        assert foreign.status_code == 404, f"{method} {path}"
        answered = ID.sub("x", foreign.text)
        absent = {name: ID.sub(lambda found: "0" * len(found[0]), value) for name, value in ids.items()}
        nothing = blue.request(method, path.format(**absent, key=at.rsplit("/", 1)[1]), **given)
        assert answered == ID.sub("x", nothing.text), f"{path} tells that it is there"
        own = red.request(method, at, **given).status_code
        assert own == OWN_ANSWERS[path] if path in OWN_ANSWERS else own < 400, f"{method} {path}"
        tried += 1
    assert tried >= 45


def made_for_one(red: TestClient, path: str) -> dict[str, str]:
    """A key, an upload and a webhook of red's, made for one route: it may be what ends them."""
    if "{key_id}" in path:
        return {"key_id": red.post("/v1/keys", json={"scope": "read"}).json()["id"]}
    if "{upload_id}" in path:
        file = save({"a": np.ones(2, np.float32)})
        head = {"Content-Type": "application/octet-stream"}
        return {"upload_id": red.post("/v1/uploads?kind=weights", content=file, headers=head).json()["id"]}
    if "{webhook_id}" in path:
        return {"webhook_id": red.post("/v1/webhooks", json={"url": HOOK}).json()["id"]}
    return {}


def test_no_route_without_an_id_shows_another_workspaces(
    app: FastAPI, red: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    shown = 0
    owned |= made_for_one(red, "{key_id}") | made_for_one(red, "{webhook_id}")
    for method, path in routes_of(app):
        if method == "GET" and "{" not in path:
            assert not [one for one in owned.values() if one in blue.get(path).text], path
            shown += any(one in red.get(path).text for one in owned.values())
    assert shown >= 9  # /jobs, /batches, /ablations, and all three over REST; keys, webhooks, /admin


def test_csv_of_another_workspace_is_not_there(
    api: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    tables = ("front", "comparison", "studies", "trials", "attempts", "points")
    for path in (
        *(f"/v1/jobs/{{job_id}}/{table}" for table in tables),
        "/v1/trials/{trial_id}/epochs",
        "/v1/ablations/{ablation_id}",
        "/v1/fronts?job={job_id}",
        "/v1/fronts?batch={batch_id}",
        "/v1/jobs?batch={batch_id}",
    ):
        at = path.format(**owned)
        with_form = f"{at}{'&' if '?' in at else '?'}format=csv"
        assert api.get(with_form).status_code == 200, with_form
        assert blue.get(with_form).status_code == 404, with_form
        assert blue.get(at, headers={"Accept": "text/csv"}).status_code == 404, at


def test_listings_as_csv_have_rows_of_the_own_workspace_alone(
    api: TestClient, blue: TestClient, owned: dict[str, str]
) -> None:
    for path, own in (("jobs", "job_id"), ("job-batches", "batch_id"), ("ablations", "ablation_id")):
        asked = f"/v1/{path}?format=csv"
        assert owned[own] in api.get(asked).text
        assert len(blue.get(asked).text.splitlines()) == 1, path  # the names of the columns


def test_an_overlay_with_one_foreign_job_is_not_there(
    api: TestClient, blue: TestClient, owned: dict[str, str], spec: dict[str, Any]
) -> None:
    own = blue.post("/v1/jobs", json=spec).json()["id"]
    assert blue.get(f"/v1/fronts?job={own}").status_code == 200
    assert blue.get(f"/v1/fronts?job={own}&job={owned['job_id']}").status_code == 404
    assert blue.get(f"/v1/fronts?job={own}&batch={owned['batch_id']}").status_code == 404


def test_labels_find_jobs_of_the_own_workspace_alone(
    api: TestClient, blue: TestClient, spec: dict[str, Any]
) -> None:
    made = {who: who.post("/v1/jobs", json=spec | {"labels": {"a": "b"}}).json()["id"] for who in (api, blue)}
    for who, job_id in made.items():
        for label in ("a", "a:b"):
            found = who.get("/v1/jobs", params={"label": label}).json()["items"]
            assert [job["id"] for job in found] == [job_id]
        assert made[api if who is blue else blue] not in who.get("/jobs?label=a:b").text


def test_two_workspaces_may_use_the_same_idempotency_key_for_batches(
    api: TestClient, blue: TestClient, spec: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "k"}
    for who, seeds in ((api, [[0], [1]]), (blue, [[2], [3]])):
        body = {"template": spec, "grid": {"/seeds": seeds}}
        first = who.post("/v1/job-batches", json=body, headers=headers)
        again = who.post("/v1/job-batches", json=body, headers=headers)
        assert (first.status_code, again.json()["id"]) == (202, first.json()["id"])
        assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_that_reads_submits_neither_batches_nor_clones_nor_labels(
    make_key: Callable[..., Any],
    call_as: Callable[[str], TestClient],
    owned: dict[str, str],
    spec: dict[str, Any],
) -> None:
    reader = call_as(make_key("red", "read").text)
    job = f"/v1/jobs/{owned['job_id']}"
    calls = (
        ("POST", "/v1/job-batches", {"template": spec, "grid": {"/seeds": [[0]]}}),
        ("POST", f"/v1/job-batches/{owned['batch_id']}/cancel", None),
        ("POST", f"{job}/clone", {}),
        ("PATCH", f"{job}/labels", {"a": "b"}),
        ("PUT", f"{job}/priority", {"priority": 1}),
    )
    for method, path, body in calls:
        answer = reader.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), path
    assert reader.get(f"/v1/job-batches/{owned['batch_id']}").json()["state"] == "queued"


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
        answer = nobody.request(method, at, headers={"Accept": "text/html"})  # as browsers say
        if path in open_ones:
            assert answer.status_code in {200, 403}, path
        elif path.startswith(("/v1", "/metrics")):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bitfront"'
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in?next=%2F"), path
