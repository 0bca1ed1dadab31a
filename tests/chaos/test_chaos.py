"""Kill -9 of anything at random moments, again and again: no result is lost, doubled or changed.

    pytest tests/chaos --kills 500 --chaos-seed 7

Each life is a fresh service with one job, in which one thing after another is killed until the job has ended
or the kills are spent; then another life begins. The seed decides what is killed and when, as seconds on the
clock, so a seed repeats the same plan though not the same moments of the work.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import Service, kill_all, run_job
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.ray, pytest.mark.timeout(36_000)]

WORKER_KILLS = 2
"""Of one life: a trial whose worker dies three times is given up, as it should be."""
LIFE_SECONDS = 300
"""Longer than the kills of one life take: ten times as long as an undisturbed one."""
KILLS_OF_A_LIFE = 30
PAUSE_SECONDS = ((0.1, 1.5), (0.1, 1.5), (0.1, 1.5), (0.1, 1.5), (3.0, 6.0))
"""Between two kills: mostly less than it takes to start what the last one killed, else long enough for some
trials to end."""
PATIENT = {"BITFRONT_MOST_FRUITLESS_CLAIMS": "1000", "BITFRONT_MOST_RESTART_SECONDS": "0.2"}
"""A job that so many dispatchers die of before it trains an epoch would be given up, as it should be, and one
that dies again and again started ever later."""


class Monkey:
    """Kills until its kills are spent."""

    def __init__(self, seed: int, kills: int, server: PostgresServer | None) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a plan that can be repeated is what is wanted
        self.left = kills
        self.server = server
        self.done: list[str] = []

    def live(self, service: Service, job_id: str) -> None:
        """Disturb one life, until its job has ended or its kills are spent."""
        killed: list[str] = []
        began = time.monotonic()
        while len(killed) < min(self.left, KILLS_OF_A_LIFE):
            time.sleep(self.random.uniform(*self.random.choice(PAUSE_SECONDS)))
            if _is_over(service, job_id):
                break
            targets = self._targets(workers=killed.count("worker") < WORKER_KILLS)
            name = self.random.choice(sorted(targets))
            if targets[name](service):
                killed.append(name)
            assert time.monotonic() - began < LIFE_SECONDS
        self.left -= len(killed)
        self.done += killed

    def _targets(self, *, workers: bool) -> dict[str, Callable[[Service], int]]:
        found: dict[str, Callable[[Service], int]] = {"service": _service, "dispatcher": _dispatcher}
        if workers:
            found["worker"] = _worker
        if self.server is not None:
            found["database"] = self._database
        return found

    def _database(self, service: Service) -> int:
        assert self.server is not None
        self.server.stop()
        time.sleep(self.random.uniform(0.0, 1.0))
        self.server.start()
        return 1


def _service(service: Service) -> int:
    service.kill()
    service.start()
    return 1


def _dispatcher(service: Service) -> int:
    return kill_all(service.dispatchers())


def _worker(service: Service) -> int:
    return kill_all(service.workers())


def _is_over(service: Service, job_id: str) -> bool:
    try:
        return service.client.job(job_id).state == "succeeded"
    except Exception:
        return False  # it is down, as it often is here


def lives(folder: Path, monkey: Monkey, database: Callable[[], str | None]) -> list[Any]:
    """The results of as many lives as it takes to spend the kills."""
    found = []
    while monkey.left > 0:
        home = folder / f"life-{len(found)}"
        home.mkdir()
        found.append(run_job(home, monkey.live, database(), PATIENT))
    return found


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Seed and kills; the head of the test report shows them."""
    return request.config.getoption("chaos_seed"), request.config.getoption("kills")


def test_on_sqlite(undisturbed, plan, tmp_path):
    seed, kills = plan
    monkey = Monkey(seed, (kills + 1) // 2, None)
    for found in lives(tmp_path, monkey, lambda: None):
        assert found == undisturbed, monkey.done


@pytest.mark.postgres
def test_on_postgres(undisturbed, plan, tmp_path, postgres_server):
    seed, kills = plan
    monkey = Monkey(seed + 1, kills // 2, postgres_server)
    for found in lives(tmp_path, monkey, postgres_server.new_database):
        assert found == undisturbed, monkey.done
