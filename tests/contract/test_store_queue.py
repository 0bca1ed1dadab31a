"""What the store promises of the queue, on either database: fair turns, an end to jobs that end dispatchers,
and a record of what came too late."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from search.job import JobSpec
from service.errors import NotFoundError
from service.queue.line import places
from service.queue.reading import read_queue
from service.store import Claim, Store
from service.store.engine import WRITES, open_engine
from service.store.leases import LOST
from service.store.queue import Presence
from service.store.schema import downgrade, migrate
from service.store.studies import PlannedTrial
from tests.contract.test_store_schema import columns_of, store_old_job

PAGE = {"limit": 100, "cursor": None}


@pytest.fixture
def teams(store: Store) -> dict[str, Store]:
    """Three workspaces of one store."""
    with store.unit() as unit:
        for name in ("red", "blue"):
            unit.workspaces.create(name)
    return {name: store.within(name) for name in ("default", "red", "blue")}


def submit(store: Store, spec: JobSpec, priority: int = 0) -> str:
    with store.unit() as unit:
        return unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None, priority=priority)[
            0
        ].id


def claim(store: Store, seconds: float = 60.0, **limits: int) -> Claim | None:
    with store.unit() as unit:
        return unit.jobs.claim("a", seconds, **limits)


def end(store: Store, held: Claim) -> None:
    with store.unit() as unit:
        unit.jobs.finish(held, "succeeded")


def start_trial(store: Store, held: Claim) -> str:
    with store.unit() as unit:
        unit.studies.prepare(held)
        study = unit.jobs.get(held.job_id).studies[0].id
        if not unit.studies.trials(study):
            planned = PlannedTrial(round=0, number=0, proposal={"kind": "x"}, fingerprint="f")
            unit.studies.plan(held, study, [planned])
        trial = unit.studies.trials(study)[0].id
        assert unit.results.start(held, trial)
    return trial


def test_the_greatest_priority_goes_first_and_of_equals_the_oldest(store, job_spec):
    low, first, second, high = (submit(store, job_spec(), priority) for priority in (-1, 0, 0, 9))
    with store.unit() as unit:
        assert [job.id for job in unit.queue.waiting(9)] == [high, first, second, low]
        assert unit.jobs.set_priority(low, 9).priority == 9
    assert [claim(store).job_id for _ in range(4)] == [low, high, first, second]


def test_a_workspace_with_a_hundred_jobs_keeps_no_other_waiting(store, teams, job_spec):
    for _ in range(6):
        submit(teams["red"], job_spec(), 9)
    for name in ("blue", "default"):
        submit(teams[name], job_spec())
    assert {claim(store).workspace for _ in range(3)} == {"red", "blue", "default"}


def test_of_workspaces_with_as_many_running_the_one_that_waited_longest_is_next(store, teams, job_spec):
    for name in ("red", "blue"):
        for _ in range(3):
            submit(teams[name], job_spec())
    found = []
    for _ in range(6):
        held = claim(store)
        found.append(held.workspace)
        end(store, held)
    assert found[:2] * 3 == found
    assert set(found) == {"red", "blue"}


def test_the_places_in_line_are_those_of_the_claims(store, teams, job_spec):
    dice = random.Random(1)  # noqa: S311 - a made-up queue
    waiting = dict.fromkeys(teams, 0)
    for _ in range(12):
        name = dice.choice(sorted(teams))
        waiting[name] += 1
        submit(teams[name], job_spec(), dice.randrange(3))
    for _ in range(2):
        waiting[claim(store).workspace] -= 1
    expected: dict[str, list[tuple[int, str]]] = {}
    for name, own in teams.items():
        shown = read_queue(store, own, name)
        assert (shown.queued_jobs, len(shown.queued)) == (waiting[name], waiting[name])
        expected[name] = [(job.place, job.id) for job in shown.queued]
        with store.unit() as unit:
            assert places(unit.queue.shares(), name, 2) == [place for place, _ in expected[name]][:2]
    line = sorted(one for jobs in expected.values() for one in jobs)
    assert [place for place, _ in line] == list(range(1, 11))
    assert [claim(store).job_id for _ in line] == [job_id for _, job_id in line]


def test_a_job_that_ends_its_dispatchers_fails_in_the_end_and_keeps_its_trials(store, job_spec):
    job_id = submit(store, job_spec())
    for _ in range(3):
        start_trial(store, claim(store, 0.0, most_fruitless=3))
    assert claim(store, most_fruitless=3) is None
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        kinds = [one.kind for one in unit.incidents.page(job_id, **PAGE).items]
        told = [
            event.data["state"]
            for event in unit.events.after(job_id, after=0, limit=9)
            if event.kind == "job_state"
        ]
    assert (job.state, job.reason, job.trials_finished) == ("failed", LOST, 1)
    assert "3 times" in job.error
    assert kinds == ["lease_expired"] * 3
    assert told == ["queued", "running", "failed"]


def test_progress_starts_the_count_again_but_an_epoch_trained_twice_is_none(store, job_spec, training):
    submit(store, job_spec())
    for epoch, _ in ((1, "new"), (2, "new"), (2, "again"), (1, "again")):
        held = claim(store, 0.0, most_fruitless=2)
        trial = start_trial(store, held)
        with store.unit() as unit:
            unit.results.epoch(held, trial, training.report(epoch))
    assert claim(store, most_fruitless=2) is None


def test_a_dispatcher_that_gives_its_job_back_says_nothing_against_it(store, job_spec):
    job_id = submit(store, job_spec())
    for _ in range(4):
        held = claim(store, most_fruitless=2)
        with store.unit() as unit:
            unit.jobs.release(held)
    with store.unit() as unit:
        assert unit.jobs.get(job_id).state == "queued"
        assert unit.incidents.page(job_id, **PAGE).items == []


def test_late_results_are_kept_with_the_job_and_counted(store, teams, job_spec):
    job_id = submit(teams["red"], job_spec())
    with store.unit() as unit:
        for what in ("epoch", "success"):
            unit.incidents.late_result(job_id, trial_id="t", what=what, dispatcher="a", token=1)
        assert unit.incidents.counts() == {"late_result": 2}
    with teams["red"].unit() as unit:
        first = unit.incidents.page(job_id, limit=1, cursor=None)
        rest = unit.incidents.page(job_id, limit=1, cursor=first.next_cursor)
    assert [one.what for page in (first, rest) for one in page.items] == ["success", "epoch"]
    assert rest.next_cursor is None
    with pytest.raises(NotFoundError), teams["blue"].unit() as unit:
        unit.incidents.page(job_id, **PAGE)


def test_the_queue_says_who_works_and_why_a_job_waits(store, teams, job_spec):
    for _ in range(3):
        submit(teams["red"], job_spec())
    assert {job.reason for job in read_queue(store, teams["red"], "red").queued} == {"no_dispatcher"}
    ray = {"nodes": 1, "cpus": 4.0, "cpus_used": 3.0, "gpus": 0.0, "gpus_used": 0.0}
    beat(store, "a")
    assert {job.reason for job in read_queue(store, teams["red"], "red").queued} == {"no_ray"}
    beat(store, "a", ray=ray | {"cpus": 0.0})
    assert {job.reason for job in read_queue(store, teams["red"], "red").queued} == {"no_nodes"}
    beat(store, "a", ray=ray)
    beat(store, "b", ray=ray, ray_age=3600.0)
    reasons = [job.reason for job in read_queue(store, teams["red"], "red").queued]
    assert reasons == ["next", "busy", "behind"]
    held = claim(store)
    shown = read_queue(store, teams["red"], "red")
    (running,) = shown.running
    assert (running.id, running.dispatcher, running.lease_age_seconds < 5) == (held.job_id, "a", True)
    assert [(one.id, one.job_id, one.ray_answers) for one in shown.dispatchers] == [
        ("a", held.job_id, True),
        ("b", None, False),
    ]
    other = read_queue(store, teams["blue"], "blue")
    assert (other.queued, other.running, other.queued_jobs_elsewhere, other.running_jobs_elsewhere) == (
        [],
        [],
        2,
        1,
    )
    assert [(one.busy, one.job_id) for one in other.dispatchers] == [(True, None), (False, None)]
    with store.unit() as unit:
        unit.queue.leave("a")
        assert [row.id for row in unit.queue.dispatchers()] == ["b"]


def beat(store: Store, name: str, **known: Any) -> None:
    with store.unit() as unit:
        unit.queue.beat(Presence(id=name, host="here", pid=1, lease_seconds=60.0, **known))


def test_ages_and_durations_are_counted(store, job_spec, training):
    submit(store, job_spec())
    held = claim(store)
    trial = start_trial(store, held)
    with store.unit() as unit:
        assert unit.queue.oldest_queued_seconds() == 0.0
        unit.results.succeed(held, trial, training_outcome())
        found = unit.queue.trial_seconds([0.0, 3600.0])["succeeded"]
    assert (list(found.within), found.count) == ([0, 1], 1)
    assert 0 < found.total < 3600
    submit(store, job_spec())
    with store.unit() as unit:
        assert 0 < unit.queue.oldest_queued_seconds() < 60


def training_outcome() -> Any:
    from workers.report import TrialOutcome

    return TrialOutcome(points=(), epochs=1, samples=1)


def test_a_database_without_a_queue_gains_one_and_can_go_back(database_url, job_spec):
    engine = open_engine(database_url)
    migrate(engine, to="0007")
    store_old_job(engine, job_spec())
    held_by_an_old_version(engine)
    before = columns_of(engine)
    store = Store(engine)
    store.migrate()
    taken = claim(store)
    assert (taken.job_id, taken.token, taken.trace_id) == ("job-0", 4, None)
    with store.unit() as unit:
        job = unit.jobs.get("job-0")
    assert (job.priority, job.reason, job.trace_id) == (0, None, None)
    downgrade(engine, to="0007")
    assert columns_of(engine) == before
    store.migrate()
    store.close()


def held_by_an_old_version(engine: Engine) -> None:
    lease = "lease_owner = 'old', lease_token = 3, lease_expires_at = '2026-01-02 03:04:05'"
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(text(f"UPDATE jobs SET state = 'running', {lease}"))  # noqa: S608 - the text stands above
