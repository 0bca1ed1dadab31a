"""What the store promises of leases, on SQLite and PostgreSQL alike: one holder, and none too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from service.errors import StaleLeaseError
from service.store import Claim, Store
from service.store.studies import PlannedTrial
from workers.report import TrialFailure, TrialOutcome


def submit(store: Store, spec: object, count: int = 1) -> list[str]:
    with store.unit() as unit:
        return [
            unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None)[0].id
            for _ in range(count)
        ]


def claim(store: Store, owner: str = "a", seconds: float = 60.0) -> Claim | None:
    with store.unit() as unit:
        return unit.jobs.claim(owner, seconds)


def lapse(store: Store, held: Claim) -> None:
    """Let a lease run out, as if its holder had not renewed it in time."""
    with store.unit() as unit:
        unit.jobs.renew(replace(held, lease_seconds=0.0))


def start_one_trial(store: Store, held: Claim) -> str:
    """The id of a trial that runs under a claim."""
    with store.unit() as unit:
        unit.studies.prepare(held)
        study = unit.jobs.get(held.job_id).studies[0].id
        planned = PlannedTrial(round=0, number=0, proposal={"kind": "x"}, fingerprint="f")
        unit.studies.plan(held, study, [planned])
        trial = unit.studies.trials(study)[0].id
        assert unit.results.start(held, trial)
    return trial


def everything(store: Store, job_id: str) -> list[object]:
    """All that is stored of a job."""
    page = {"limit": 100, "cursor": None}
    with store.unit() as unit:
        trials = unit.trials.page(job_id, **page, state=None, method=None, seed=None).items
        return [
            unit.jobs.get(job_id),
            [unit.trials.get(trial.id) for trial in trials],
            unit.points.page(job_id, **page),
            unit.events.after(job_id, after=0, limit=100),
        ]


def test_the_oldest_job_is_claimed_first(store, job_spec):
    made = submit(store, job_spec(), 3)
    assert [claim(store).job_id for _ in made] == made
    assert claim(store) is None


def test_a_claim_carries_the_spec_and_starts_the_job(store, job_spec):
    (job_id,) = submit(store, job_spec())
    held = claim(store, "me", 7.0)
    assert (held.job_id, held.token, held.owner, held.lease_seconds) == (job_id, 1, "me", 7.0)
    assert held.spec == job_spec()
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
    assert job.state == "running"
    assert job.started_at >= job.created_at


def test_many_claimers_never_get_the_same_job(store, job_spec):
    made = submit(store, job_spec(), 20)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: claim(store, f"owner-{number}"), range(25)))
    held = [each.job_id for each in found if each is not None]
    assert sorted(held) == sorted(made)


def test_a_lease_that_ran_out_is_taken_over_with_a_greater_token(store, job_spec):
    submit(store, job_spec())
    first = claim(store, "a", 60.0)
    assert claim(store, "b") is None
    lapse(store, first)
    second = claim(store, "b")
    assert (second.job_id, second.token) == (first.job_id, first.token + 1)


def test_a_renewed_lease_is_not_taken_over(store, job_spec):
    submit(store, job_spec())
    held = claim(store, "a", 60.0)
    lapse(store, held)
    with store.unit() as unit:
        unit.jobs.renew(held)
    assert claim(store, "b") is None


def test_a_stale_token_stores_nothing(store, job_spec):
    (job_id,) = submit(store, job_spec())
    stale = claim(store, "a", 0.0)
    trial = start_one_trial(store, stale)
    assert claim(store, "b") is not None
    before = everything(store, job_id)
    late = TrialOutcome(points=(), epochs=1, samples=1)
    writes = [
        lambda unit: unit.results.start(stale, trial),
        lambda unit: unit.results.lose(stale, trial, "late"),
        lambda unit: unit.results.succeed(stale, trial, late),
        lambda unit: unit.results.fail(stale, trial, TrialFailure(reason="error", message="late")),
        lambda unit: unit.results.reuse(stale, trial, lambda point: point),
        lambda unit: unit.studies.prepare(stale),
        lambda unit: unit.studies.plan(stale, "study-x", []),
        lambda unit: unit.studies.finish(stale, "study-x"),
        lambda unit: unit.jobs.renew(stale),
        lambda unit: unit.jobs.release(stale),
        lambda unit: unit.jobs.finish(stale, "failed", "late"),
        lambda unit: unit.jobs.cancel_requested(stale),
    ]
    for write in writes:
        with pytest.raises(StaleLeaseError), store.unit() as unit:
            write(unit)
    assert everything(store, job_id) == before


def test_a_taken_over_job_has_its_attempts_lost_and_its_trials_queued(store, job_spec):
    submit(store, job_spec())
    trial = start_one_trial(store, claim(store, "a", 0.0))
    heir = claim(store, "b")
    with store.unit() as unit:
        view = unit.trials.get(trial)
        assert view.state == "queued"
        assert [(attempt.number, attempt.state) for attempt in view.attempts] == [(1, "lost")]
        assert unit.results.start(heir, trial)
        assert [attempt.state for attempt in unit.trials.get(trial).attempts] == ["lost", "running"]


def test_a_released_job_can_be_claimed_at_once(store, job_spec):
    (job_id,) = submit(store, job_spec())
    held = claim(store)
    trial = start_one_trial(store, held)
    with store.unit() as unit:
        unit.jobs.release(held)
    with store.unit() as unit:
        assert unit.jobs.get(job_id).state == "queued"
        assert unit.trials.get(trial).attempts[0].message == "the dispatcher stopped"
    assert claim(store, "b").token == held.token + 1


def test_a_released_job_that_is_cancelled_prunes_its_trials(store, job_spec):
    (job_id,) = submit(store, job_spec())
    held = claim(store)
    trial = start_one_trial(store, held)
    with store.unit() as unit:
        unit.jobs.release(held)
    with store.unit() as unit:
        assert unit.jobs.request_cancel(job_id).state == "cancelled"
    with store.unit() as unit:
        assert (unit.trials.get(trial).state, unit.trials.get(trial).message) == ("pruned", "job cancelled")


def test_a_job_released_while_it_is_cancelled_goes_on_being_cancelled(store, job_spec):
    (job_id,) = submit(store, job_spec())
    held = claim(store)
    with store.unit() as unit:
        unit.jobs.request_cancel(job_id)
        unit.jobs.release(held)
    heir = claim(store, "b")
    with store.unit() as unit:
        assert unit.jobs.cancel_requested(heir)


def test_a_finished_job_keeps_its_error_and_prunes_what_ran(store, job_spec):
    (job_id,) = submit(store, job_spec())
    held = claim(store)
    trial = start_one_trial(store, held)
    with store.unit() as unit:
        unit.jobs.finish(held, "failed", "no data")
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        assert (job.state, job.error, job.trials_finished) == ("failed", "no data", 1)
        assert unit.trials.get(trial).attempts[0].state == "lost"
    assert claim(store, "b") is None
    with pytest.raises(StaleLeaseError), store.unit() as unit:
        unit.jobs.finish(held, "succeeded")
