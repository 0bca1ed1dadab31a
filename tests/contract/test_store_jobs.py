"""What the store promises of jobs, on SQLite and PostgreSQL alike: submitting, listing, cancelling."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import InvalidInputError
from search.job import JobSpec
from service.errors import ConflictError, NotFoundError
from service.store import Store

THREADS = 50


def submit(store: Store, spec: JobSpec, key: str | None = None) -> tuple[str, bool]:
    with store.unit() as unit:
        job, created = unit.jobs.submit(spec, trials_planned=6, plan={"trials": 6}, idempotency_key=key)
    return job.id, created


def states(store: Store, job_id: str) -> list[str]:
    with store.unit() as unit:
        events = unit.events.after(job_id, after=0, limit=1000)
    return [event.data["state"] for event in events if event.kind == "job_state"]


def test_a_submitted_job_is_queued_with_its_whole_spec(store, job_spec):
    job_id, created = submit(store, job_spec())
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
    assert created
    assert (job.state, job.trials_planned, job.trials_finished) == ("queued", 6, 0)
    assert JobSpec.model_validate(job.spec) == job_spec()
    assert [(best.budget, best.point_id) for best in job.best] == [(3.0, None), (9.0, None)]
    assert states(store, job_id) == ["queued"]


def test_fifty_submits_with_one_key_make_one_job(store, job_spec):
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda _: submit(store, job_spec(), "key"), range(THREADS)))
    assert len({job_id for job_id, _ in found}) == 1
    assert [created for _, created in found].count(True) == 1
    with store.unit() as unit:
        assert len(unit.jobs.page(limit=100, cursor=None, state=None).items) == 1
    assert states(store, found[0][0]) == ["queued"]


def test_a_key_with_another_spec_is_a_conflict_and_stores_nothing(store, job_spec):
    submit(store, job_spec(), "key")
    with pytest.raises(ConflictError) as caught:
        submit(store, job_spec(name="other"), "key")
    assert caught.value.code == "idempotency_conflict"
    with store.unit() as unit:
        assert [job.name for job in unit.jobs.page(limit=9, cursor=None, state=None).items] == ["small"]


def test_a_unit_that_raises_stores_nothing(store, job_spec):
    def submit_and_break() -> None:
        with store.unit() as unit:
            unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        submit_and_break()
    with store.unit() as unit:
        assert unit.jobs.page(limit=9, cursor=None, state=None).items == []


def test_pages_run_from_the_newest_and_do_not_shift_when_jobs_arrive(store, job_spec):
    made = [submit(store, job_spec(name=f"job-{number}"))[0] for number in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        with store.unit() as unit:
            page = unit.jobs.page(limit=2, cursor=cursor, state="queued")
        seen += [job.id for job in page.items]
        cursor = page.next_cursor
        submit(store, job_spec(name="late"))
    assert seen == made[::-1]
    assert cursor is None


def test_pages_filter_by_state(store, job_spec):
    first, _ = submit(store, job_spec())
    submit(store, job_spec(name="other"))
    with store.unit() as unit:
        unit.jobs.request_cancel(first)
    with store.unit() as unit:
        assert [job.id for job in unit.jobs.page(limit=9, cursor=None, state="cancelled").items] == [first]
        assert unit.jobs.counts() == {"queued": 1, "cancelled": 1}


@pytest.mark.parametrize("cursor", ["", "x", "é", "dHJpYWxzOjE", "am9iczpub25l", "am9iczotMQ"])
def test_a_cursor_that_no_page_gave_is_refused(store, cursor):
    with store.unit() as unit, pytest.raises(InvalidInputError, match="not a cursor"):
        unit.jobs.page(limit=9, cursor=cursor, state=None)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(store, limit):
    with store.unit() as unit, pytest.raises(InvalidInputError, match="limit"):
        unit.jobs.page(limit=limit, cursor=None, state=None)


def test_nothing_is_found_under_an_unknown_id(store):
    page = {"limit": 9, "cursor": None}
    front = {"metric": "s_ace", "method": None, "seed": None, "all_points": False}
    with store.unit() as unit:
        calls = [
            lambda: unit.jobs.get("job-x"),
            lambda: unit.jobs.request_cancel("job-x"),
            lambda: unit.trials.get("trial-x"),
            lambda: unit.trials.page("job-x", **page, state=None, method=None, seed=None),
            lambda: unit.points.get("point-x"),
            lambda: unit.points.checkpoint("point-x"),
            lambda: unit.points.page("job-x", **page),
            lambda: unit.fronts.front("job-x", **front),
            lambda: unit.fronts.best("job-x", metric="s_ace", maximum=1),
        ]
        for call in calls:
            with pytest.raises(NotFoundError):
                call()


def test_a_queued_job_is_cancelled_at_once(store, job_spec):
    job_id, _ = submit(store, job_spec())
    with store.unit() as unit:
        job = unit.jobs.request_cancel(job_id)
    assert job.state == "cancelled"
    assert job.finished_at is not None
    assert job.seconds_left == 0
    with store.unit() as unit:
        assert unit.jobs.claim("a", 9) is None
        assert unit.jobs.request_cancel(job_id) == job
    assert states(store, job_id) == ["queued", "cancelled"]


def test_a_running_job_is_cancelled_by_its_dispatcher_whatever_it_reached(store, job_spec):
    job_id, _ = submit(store, job_spec())
    with store.unit() as unit:
        claim = unit.jobs.claim("a", 9)
    with store.unit() as unit:
        assert not unit.jobs.cancel_requested(claim)
        assert unit.jobs.request_cancel(job_id).state == "cancelling"
        assert unit.jobs.request_cancel(job_id).state == "cancelling"
    with store.unit() as unit:
        assert unit.jobs.cancel_requested(claim)
        unit.jobs.finish(claim, "succeeded")
    with store.unit() as unit:
        assert unit.jobs.get(job_id).state == "cancelled"
    assert states(store, job_id) == ["queued", "running", "cancelling", "cancelled"]


def test_events_are_read_on_from_any_of_them(store, job_spec):
    job_id, _ = submit(store, job_spec())
    submit(store, job_spec(name="other"))
    with store.unit() as unit:
        unit.jobs.request_cancel(job_id)
    with store.unit() as unit:
        first, second = unit.events.after(job_id, after=0, limit=10)
        assert unit.events.after(job_id, after=first.id, limit=10) == [second]
        assert unit.events.after(job_id, after=0, limit=1) == [first]
        assert unit.events.after(job_id, after=second.id, limit=10) == []
    assert second.id > first.id


def test_ids_are_a_kind_and_sixteen_hexadecimal_digits(store, job_spec):
    job_id, _ = submit(store, job_spec())
    kind, digits = job_id.split("-")
    assert (kind, len(digits), set(digits) <= set("0123456789abcdef")) == ("job", 16, True)
    assert Counter(submit(store, job_spec())[1] for _ in range(3)) == {True: 3}
