"""A batch of four jobs, and one that has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.store import Store


@pytest.fixture
def batch(spec: dict[str, Any]) -> dict[str, Any]:
    """Two widths and two seeds."""
    return {"template": spec, "grid": {"/architecture/width": [8, 16], "/seeds": [[0], [1]]}}


@pytest.fixture
def end_jobs(api_store: Store) -> Callable[..., int]:
    """Ends queued jobs in a state, all or so many; how many it were."""

    def end(state: Any = "succeeded", most: int = 1000) -> int:
        for number in range(most):
            with api_store.unit() as unit:
                claim = unit.jobs.claim("test", 60)
                if claim is None:
                    return number
                unit.jobs.finish(claim, state, "broken")
        return most

    return end


@pytest.fixture
def submitted(api: TestClient, batch: dict[str, Any]) -> str:
    """The id of a batch that waits."""
    return str(api.post("/v1/job-batches", json=batch).json()["id"])
