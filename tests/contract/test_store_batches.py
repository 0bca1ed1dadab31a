"""What the store promises of batches and labels, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from models.errors import InvalidInputError
from service.batches.spec import BatchSpec
from service.errors import ConflictError, NotFoundError, QuotaExceededError
from service.jobs import JobRun
from service.store import Store
from service.store.jobs import NewJob
from service.store.tables import Job
from service.workspaces import Quotas
from workers.report import TrialOutcome, TrialRequest

SPEC = BatchSpec(template={"name": "some"}, grid={"/seeds": [[0], [1], [2]]})


@pytest.fixture
def submit(job_spec):
    def run(store: Store, key: str | None = None, *, spec: BatchSpec = SPEC, labels: Any = None):
        jobs = [
            (
                NewJob(
                    spec=job_spec(name=f"some.{seed}", seeds=[seed]),
                    trials_planned=6,
                    plan={},
                    labels={"seed": str(seed)} | (labels or {}),
                ),
                {"/seeds": [seed]},
            )
            for seed in range(3)
        ]
        with store.unit() as unit:
            return unit.batches.submit(spec, "some", jobs, idempotency_key=key)

    return run


def listed(store: Store, **chosen: Any) -> list[str]:
    with store.unit() as unit:
        page = unit.jobs.page(limit=50, cursor=None, state=chosen.pop("state", None), **chosen)
        return [job.name for job in page.items]


def claim(store: Store):
    with store.unit() as unit:
        return unit.jobs.claim("test", 60)


def test_jobs_are_queued_in_order_with_their_place(store, submit):
    batch, created = submit(store)
    assert created
    assert (batch.state, batch.jobs, batch.trials_planned, batch.share_done) == ("queued", 3, 18, 0)
    assert batch.spec == {"template": {"name": "some"}, "grid": {"/seeds": [[0], [1], [2]]}}
    assert listed(store, batch=batch.id) == ["some.2", "some.1", "some.0"]
    assert claim(store).spec.name == "some.0"
    with store.unit() as unit:
        job = unit.jobs.get(unit.batches.job_ids(batch.id)[2])
        events = unit.events.after(job.id, after=0, limit=9)
    assert (job.batch.id, job.batch.index, job.batch.overrides) == (batch.id, 2, {"/seeds": [2]})
    assert [event.data for event in events] == [{"state": "queued", "error": None}]


def test_a_key_used_again_returns_the_same_batch_and_another_batch_is_a_conflict(store, submit):
    first, created = submit(store, "key")
    again, created_again = submit(store, "key")
    assert (created, created_again, again.id) == (True, False, first.id)
    with pytest.raises(ConflictError):
        submit(store, "key", spec=BatchSpec(jobs=[{"name": "a"}]))
    assert len(listed(store)) == 3


def test_one_of_many_submitters_with_the_same_key_stores_the_batch(store, submit):
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: submit(store, "key"), range(6)))
    assert len({batch.id for batch, _ in found}) == 1
    assert [created for _, created in found].count(True) == 1
    assert len(listed(store)) == 3


def test_a_batch_is_stored_with_all_its_jobs_or_not_at_all(store, job_spec):
    good = NewJob(spec=job_spec(), trials_planned=1, plan={})
    broken = NewJob(spec=job_spec(), trials_planned=1, plan={"not": object()})
    with pytest.raises(Exception, match="serializ"), store.unit() as unit:
        unit.batches.submit(SPEC, "some", [(good, {}), (broken, {})], idempotency_key=None)
    with store.unit() as unit:
        assert unit.batches.page(limit=9, cursor=None).items == []
    assert listed(store) == []


def test_progress_counts_finished_trials_of_running_jobs_and_ended_jobs_whole(
    store, submit, training, tmp_path
):
    batch, _ = submit(store)
    job = JobRun(store, claim(store), data_folder=tmp_path, plan=training.plan)
    job.prepare()
    request = job.next_trial()
    assert isinstance(request, TrialRequest)
    job.started(request.trial_id)
    end = training.good(request)
    assert isinstance(end, TrialOutcome)
    job.succeeded(request.trial_id, end)
    with store.unit() as unit:
        found = unit.batches.get(batch.id)
        assert (found.state, found.trials_finished) == ("running", 1)
        assert found.share_done == pytest.approx(1 / 18)
    with store.unit() as unit:
        unit.jobs.finish(unit.jobs.claim("other", 60), "failed", "broken")
        found = unit.batches.get(batch.id)
        assert found.share_done == pytest.approx(7 / 18)
        assert found.jobs_by_state == {
            "queued": 1, "running": 1, "cancelling": 0, "succeeded": 0, "failed": 1, "cancelled": 0
        }  # fmt: skip


def test_cancelling_ends_queued_jobs_and_asks_running_ones(store, submit):
    batch, _ = submit(store)
    other, _ = submit(store)
    held = claim(store)
    for _ in range(2):
        with store.unit() as unit:
            found = unit.batches.cancel(batch.id)
        assert (found.jobs_by_state["cancelled"], found.jobs_by_state["cancelling"]) == (2, 1)
    with store.unit() as unit:
        assert unit.jobs.cancel_requested(held)
        assert unit.batches.get(other.id).jobs_by_state["queued"] == 3
        unit.jobs.finish(held, "succeeded")
        assert unit.batches.get(batch.id).state == "cancelled"


def test_cancelling_while_jobs_are_claimed_loses_none(store, submit):
    batches = [submit(store)[0].id for _ in range(4)]

    def cancel(batch_id: str) -> None:
        with store.unit() as unit:
            unit.batches.cancel(batch_id)

    with ThreadPoolExecutor(8) as pool:
        claims = [pool.submit(claim, store) for _ in range(6)]
        list(pool.map(cancel, batches))
    assert all(one.exception() is None for one in claims)
    with store.unit() as unit:
        for batch_id in batches:
            states = unit.batches.get(batch_id).jobs_by_state
            assert (states["queued"], states["running"]) == (0, 0)


def test_pages_run_from_the_newest_without_specs(store, submit):
    made = [submit(store)[0].id for _ in range(3)]
    with store.unit() as unit:
        first = unit.batches.page(limit=2, cursor=None)
        rest = unit.batches.page(limit=2, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *rest.items)] == made[::-1]
    assert rest.next_cursor is None
    assert all(one.spec is None and one.jobs == 3 for one in first.items)


def test_what_is_not_there_is_refused(store):
    with store.unit() as unit:
        for call in (unit.batches.get, unit.batches.cancel, unit.batches.require):
            with pytest.raises(NotFoundError):
                call("batch-0")
        with pytest.raises(InvalidInputError):
            unit.batches.page(limit=2, cursor="nonsense")
        with pytest.raises(NotFoundError):
            unit.jobs.set_labels("job-0", {"a": "b"})


def test_jobs_are_found_by_their_labels(store, submit, job_spec):
    submit(store, labels={"team": "vision"})
    with store.unit() as unit:
        unit.jobs.submit(job_spec(name="alone"), trials_planned=1, plan={}, idempotency_key=None)
    assert listed(store, labels=[("team", "vision")]) == ["some.2", "some.1", "some.0"]
    assert listed(store, labels=[("team", "vision"), ("seed", "1")]) == ["some.1"]
    assert listed(store, labels=[("team", None), ("seed", "2")]) == ["some.2"]
    assert listed(store, labels=[("team", "audio")]) == []
    assert listed(store, labels=[("Team", "vision")]) == []


def test_labels_change_and_the_spec_does_not(store, job_spec):
    with store.unit() as unit:
        job, _ = unit.jobs.submit(
            job_spec(), trials_planned=1, plan={}, idempotency_key="k", labels={"b": "2", "a": "1"}
        )
    assert job.labels == {"a": "1", "b": "2"}
    with store.unit() as unit:
        changed = unit.jobs.set_labels(job.id, {"a": "new", "b": None, "c": "", "gone": None})
    assert changed.labels == {"a": "new", "c": ""}
    assert changed.spec == job.spec
    with store.unit() as unit:
        again, created = unit.jobs.submit(
            job_spec(), trials_planned=1, plan={}, idempotency_key="k", labels={"a": "other"}
        )
        assert (created, again.labels) == (False, {"a": "new", "c": ""})


def test_labels_are_changed_by_many_at_once(store, job_spec):
    with store.unit() as unit:
        job, _ = unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)

    def change(number: int) -> None:
        with store.unit() as unit:
            unit.jobs.set_labels(job.id, {"last": str(number), f"own{number}": "x"})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(6)))
    with store.unit() as unit:
        assert len(unit.jobs.get(job.id).labels) == 7


def limited(store: Store, **quotas: int) -> Store:
    """A workspace with quotas."""
    with store.unit() as unit:
        unit.workspaces.create("red", Quotas(**quotas))
    return store.within("red")


def test_a_batch_counts_whole_against_the_quotas_and_stores_nothing_beyond_them(store, submit):
    red = limited(store, queued_jobs=5, trials_per_day=40)
    first, _ = submit(red, "first")
    with pytest.raises(QuotaExceededError) as full:
        submit(red, "second")
    assert (full.value.use.name, full.value.use.used, full.value.retry_after) == ("queued_jobs", 3, 60)
    assert len(listed(red)) == 3
    with red.unit() as unit:
        assert [batch.id for batch in unit.batches.page(limit=9, cursor=None).items] == [first.id]
    assert submit(red, "first") == (first, False)  # it is stored already
    with red.unit() as unit:
        unit.batches.cancel(first.id)
    assert submit(red, "second")[1]  # its key was not used up
    with red.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas(trials_per_day=50))
    with pytest.raises(QuotaExceededError) as spent:  # 36 trials, and 18 more
        submit(red)
    assert (spent.value.use.name, spent.value.use.used) == ("trials_per_day", 36)


def test_a_batch_that_never_fits_is_told_so(store, submit):
    red = limited(store)
    for quota, most in (("queued_jobs", 2), ("trials_per_day", 17)):
        with red.unit() as unit:
            unit.workspaces.set_quotas("red", Quotas(**{quota: most}))
        with pytest.raises(QuotaExceededError) as refused:
            submit(red)
        assert (refused.value.use.name, refused.value.retry_after) == (quota, None)


def test_batches_at_once_do_not_overfill_a_queue(store, submit):
    red = limited(store, queued_jobs=7)

    def taken(_: int) -> bool:
        try:
            submit(red)
        except QuotaExceededError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(taken, range(6))) == 2
    assert len(listed(red)) == 6


def test_jobs_of_a_batch_hold_the_devices_that_their_specs_ask_for(store, job_spec):
    spec = job_spec(compute={"trials_per_study": 1, "cpus_per_trial": 2})
    with store.unit() as unit:
        job = (NewJob(spec=spec, trials_planned=1, plan={}), {})
        unit.batches.submit(SPEC, "some", [job], idempotency_key=None)
        assert unit.jobs._session.scalar(select(Job.devices)) == 2
