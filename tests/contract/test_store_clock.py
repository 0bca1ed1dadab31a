"""The clocks of clients decide nothing: one that is an hour wrong claims, renews and loses like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from service.store import Claim, Store

HOUR = timedelta(hours=1)


@pytest.fixture(params=[HOUR, -HOUR], ids=["fast", "slow"])
def wrong_clock(request: pytest.FixtureRequest) -> Iterator[time_machine.travel]:
    """This process's clock an hour before or behind; the database's is right."""
    return time_machine.travel(datetime.now(UTC) + request.param, tick=True)


@pytest.fixture
def held(store: Store, job_spec: object) -> Claim:
    """A job that a dispatcher with a right clock holds for a minute."""
    with store.unit() as unit:
        unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)
        return unit.jobs.claim("right", 60.0)


def test_a_wrong_clock_takes_nothing_over(store, held, wrong_clock):
    with wrong_clock, store.unit() as unit:
        assert unit.jobs.claim("wrong", 60.0) is None
    with store.unit() as unit:
        unit.jobs.renew(held)


def test_a_lease_that_a_wrong_clock_took_is_as_long_as_any(store, job_spec, wrong_clock):
    with wrong_clock, store.unit() as unit:
        unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)
        short, long = unit.jobs.claim("wrong", 0.0), None
    with store.unit() as unit:
        long = unit.jobs.claim("right", 60.0)
    assert (short.token, long.token) == (1, 2)


def test_records_have_the_time_of_the_database(store, held, wrong_clock):
    with wrong_clock, store.unit() as unit:
        unit.jobs.finish(held, "failed", "its clock is wrong")
    with store.unit() as unit:
        job = unit.jobs.get(held.job_id)
    assert abs(job.finished_at - job.started_at) < timedelta(minutes=5)
