"""What is refused beyond a workspace's quotas, by which of them, and that nothing of it is stored."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from service.store import Store
from service.workspaces import Quotas
from tests.unit.service.access.test_gate import code_of


def test_a_refusal_names_the_quota_its_use_and_its_limit(
    api: TestClient, api_store: Store, spec: dict[str, Any]
) -> None:
    with api_store.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas(queued_jobs=1, trials_per_day=20, stored_bytes=5))
    assert api.post("/v1/jobs", json=spec).status_code == 202
    refused = api.post("/v1/jobs", json=spec)
    assert code_of(refused) == (429, "quota_exceeded")
    assert refused.json()["quota"] == {"name": "queued_jobs", "limit": 1, "used": 1}
    assert refused.headers["Retry-After"] == "60"
    with api_store.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas(stored_bytes=0))
    assert code_of(api.post("/v1/jobs", json=spec)) == (403, "quota_exceeded")
    used = {one["name"]: one for one in api.get("/v1/workspace").json()["quotas"]}
    assert used["trials_per_day"] == {"name": "trials_per_day", "limit": None, "used": 8}
    assert used["stored_bytes"] == {"name": "stored_bytes", "limit": 0, "used": 0}


def test_an_ablation_beyond_a_quota_stores_none_of_its_jobs(
    api: TestClient, api_store: Store, spec: dict[str, Any]
) -> None:
    with api_store.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas(queued_jobs=1))
    answer = api.post("/v1/ablations", json={"job": spec, "groups": ["learned"]})
    assert code_of(answer) == (429, "quota_exceeded")
    assert api.get("/v1/jobs").json()["items"] == []


def test_a_batch_beyond_a_quota_stores_none_of_its_jobs_and_clones_count_too(
    api: TestClient, api_store: Store, spec: dict[str, Any]
) -> None:
    def limit(**quotas: int) -> None:
        with api_store.unit() as unit:
            unit.workspaces.set_quotas("red", Quotas(**quotas))

    batch = {"template": spec, "grid": {"/seeds": [[0], [1]]}}
    for quotas in ({"queued_jobs": 1}, {"trials_per_day": 7}):
        limit(**quotas)
        answer = api.post("/v1/job-batches", json=batch)
        assert code_of(answer) == (403, "quota_exceeded")  # it never fits
        assert api.get("/v1/jobs").json()["items"] == api.get("/v1/job-batches").json()["items"] == []
    limit(queued_jobs=2)
    job = api.post("/v1/jobs", json=spec).json()["id"]
    assert code_of(api.post("/v1/job-batches", json=batch)) == (429, "quota_exceeded")
    assert api.post(f"/v1/jobs/{job}/clone", json={}).status_code == 202
    assert code_of(api.post(f"/v1/jobs/{job}/clone", json={})) == (429, "quota_exceeded")


def test_problems_of_other_kinds_have_no_quota(api: TestClient) -> None:
    assert "quota" not in api.get("/v1/jobs/job-0123456789abcdef").json()
