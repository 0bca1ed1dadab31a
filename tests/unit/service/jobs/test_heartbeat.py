"""A lease lives as long as its heartbeat, and no longer than its token."""

from __future__ import annotations

import time

import pytest

from service.jobs.heartbeat import Heartbeat
from service.store import Claim, Store

LEASE = 2.0
"""Long enough that a busy machine still renews it in time."""


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    """What is tested here does not depend on the dialect."""
    return sqlite_database


def claim(store: Store, seconds: float) -> Claim | None:
    with store.unit() as unit:
        return unit.jobs.claim("test", seconds)


@pytest.fixture
def queued(store, job_spec) -> None:
    with store.unit() as unit:
        unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)


@pytest.mark.usefixtures("queued")
def test_a_lease_is_renewed_as_long_as_the_heartbeat_lasts(store):
    with Heartbeat(store, claim(store, LEASE)) as heartbeat:
        for _ in range(3):
            time.sleep(LEASE / 2)
            assert claim(store, LEASE) is None
        assert not heartbeat.lost.is_set()
    time.sleep(LEASE + 0.1)
    assert claim(store, LEASE) is not None


@pytest.mark.usefixtures("queued")
def test_a_heartbeat_tells_when_the_job_was_taken_over(store):
    held = claim(store, 0.0)
    assert claim(store, 60.0) is not None
    with Heartbeat(store, held) as heartbeat:
        assert heartbeat.lost.wait(5)
