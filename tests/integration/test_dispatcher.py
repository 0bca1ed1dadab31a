"""A dispatcher works on its queue until it is told to stop, and nothing that goes wrong in a job ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from models.errors import ClusterUnavailableError, DataMissingError
from search.job import JobSpec
from service.dispatcher import Dispatcher, Runner, ray_runner
from service.settings import Settings
from service.store import Store
from service.views import JobView
from workers.report import TrialRequest


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Short leases."""
    return Settings(home=tmp_path, database_url=database_url, lease_seconds=2.0)


def test_trials_run_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job_spec: Callable[..., JobSpec]
) -> None:
    import workers.tune  # not at collection: it imports Ray

    told: list[dict[str, Any]] = []
    monkeypatch.setattr(workers.tune, "run_trials", lambda feed, **named: told.append(named))
    settings = Settings(home=tmp_path, checkpoint_seconds=3.0)
    ray_runner(settings)(None, job_spec())  # type: ignore[arg-type]  # nobody asks this feed
    assert told[0]["checkpoint_every"] == 3.0
    assert told[0]["checkpoints"].url == settings.checkpoint_place.url
    ray_runner(Settings(home=tmp_path, ray_address="head:6379"))(None, job_spec())  # type: ignore[arg-type]  # likewise
    assert [one["patience"] > 0 for one in told] == [False, True]


def submit(store: Store, spec: JobSpec) -> str:
    with store.unit() as unit:
        return unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None)[0].id


def get(store: Store, job_id: str) -> JobView:
    with store.unit() as unit:
        return unit.jobs.get(job_id)


def await_state(store: Store, job_id: str, state: str) -> JobView:
    deadline = time.monotonic() + 30
    while (job := get(store, job_id)).state != state:
        assert time.monotonic() < deadline, f"{job.state}: {job.error}"
        time.sleep(0.05)
    return job


def take_over(store: Store) -> None:
    """Claim the job whose lease has run out, as soon as its row is not locked by a renewal."""
    deadline = time.monotonic() + 30
    claim = None
    while claim is None:
        assert time.monotonic() < deadline
        with store.unit() as unit:
            claim = unit.jobs.claim("heir", 60)


def playing(training: Any) -> Runner:
    """A runner that runs every trial at once."""

    def run(feed: Any, spec: JobSpec) -> None:
        while not feed.cancelled() and isinstance(request := feed.next_trial(), TrialRequest):
            feed.started(request.trial_id)
            feed.succeeded(request.trial_id, training.good(request))

    return run


def endless(begun: threading.Event) -> Runner:
    """A runner whose first trial ends only when the feed is cancelled."""

    def run(feed: Any, spec: JobSpec) -> None:
        feed.started(feed.next_trial().trial_id)
        begun.set()
        while not feed.cancelled():
            time.sleep(0.02)

    return run


@contextmanager
def working(settings: Settings, store: Store, run: Runner, plan: Any) -> Iterator[threading.Event]:
    """A dispatcher in a thread; stopped at the end."""
    stop = threading.Event()
    dispatcher = Dispatcher(settings, store, run=run, stop=stop, plan=plan)
    thread = threading.Thread(target=dispatcher.work)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_jobs_are_worked_off_in_order(settings, store, job_spec, training):
    first, second = submit(store, job_spec()), submit(store, job_spec(name="second", seeds=[1]))
    with working(settings, store, playing(training), training.plan):
        last = await_state(store, second, "succeeded")
        third = submit(store, job_spec(name="third", seeds=[2]))
        await_state(store, third, "succeeded")
    assert get(store, first).finished_at <= last.started_at
    assert last.trials_finished == last.studies[0].trials_planned * len(last.studies)


def test_no_job_is_claimed_while_no_node_runs_trials(settings, store, job_spec, training):
    job_id, there = submit(store, job_spec()), threading.Event()
    run = playing(training)
    dispatcher = Dispatcher(
        settings, store, run=run, stop=threading.Event(), plan=training.plan, has_nodes=there.is_set
    )
    with capture_logs() as logs:
        assert [dispatcher.work_once() for _ in range(2)] == [False, False]
        assert get(store, job_id).state == "queued"
        there.set()
        assert dispatcher.work_once()
    assert get(store, job_id).state == "succeeded"
    said = [log["event"] for log in logs if "node" in log["event"]]
    assert said == ["no node runs trials; jobs stay queued", "there are nodes again"]


def test_a_job_whose_cluster_lost_every_node_goes_back_to_the_queue(settings, store, job_spec, training):
    job_id = submit(store, job_spec())

    def run(feed: Any, spec: JobSpec) -> None:
        raise ClusterUnavailableError("no node of the cluster runs trials.")

    dispatcher = Dispatcher(settings, store, run=run, stop=threading.Event(), plan=training.plan)
    assert dispatcher.work_once()
    found = get(store, job_id)
    assert (found.state, found.error) == ("queued", None)


def test_what_keeps_a_job_from_running_is_in_the_log_too(settings, store, job_spec, training):
    job_id = submit(store, job_spec())

    def run(feed: Any, spec: JobSpec) -> None:
        raise DataMissingError("the data is gone.")

    dispatcher = Dispatcher(settings, store, run=run, stop=threading.Event(), plan=training.plan)
    with capture_logs() as logs:
        assert dispatcher.work_once()
    (said,) = [log for log in logs if log["event"] == "the job cannot be run"]
    assert "the data is gone" in said["error"]
    assert "the data is gone" in get(store, job_id).error


def test_an_error_in_a_job_fails_that_job_alone(settings, store, job_spec, training):
    broken, good = submit(store, job_spec(name="broken")), submit(store, job_spec())

    def run(feed: Any, spec: JobSpec) -> None:
        if spec.name == "broken":
            raise ValueError("a bug")
        playing(training)(feed, spec)

    with working(settings, store, run, training.plan):
        assert await_state(store, broken, "failed").error == "ValueError: a bug"
        await_state(store, good, "succeeded")


def test_data_that_vanished_fails_the_job_with_the_fix(settings, store, job_spec, training):
    job_id = submit(store, job_spec())

    def plan(spec: JobSpec, folder: Path) -> Any:
        assert folder == settings.data
        raise DataMissingError("the files are gone.", fix="Put them back.")

    with working(settings, store, playing(training), plan):
        assert await_state(store, job_id, "failed").error == "the files are gone. Put them back."


def test_a_running_job_outlives_its_first_lease(settings, store, job_spec, training):
    job_id = submit(store, job_spec())
    begun = threading.Event()
    with working(settings, store, endless(begun), training.plan):
        assert begun.wait(10)
        time.sleep(2 * settings.lease_seconds)
        with store.unit() as unit:
            assert unit.jobs.claim("thief", 9) is None
        assert get(store, job_id).state == "running"


def test_a_cancelled_job_ends_and_the_next_one_runs(settings, store, job_spec, training):
    job_id = submit(store, job_spec())
    begun = threading.Event()
    with working(settings, store, endless(begun), training.plan):
        assert begun.wait(10)
        with store.unit() as unit:
            assert unit.jobs.request_cancel(job_id).state == "cancelling"
        await_state(store, job_id, "cancelled")


def test_a_stopped_dispatcher_gives_its_job_back_and_another_ends_it(settings, store, job_spec, training):
    job_id = submit(store, job_spec())
    begun = threading.Event()
    with working(settings, store, endless(begun), training.plan):
        assert begun.wait(10)
    assert get(store, job_id).state == "queued"
    with working(settings, store, playing(training), training.plan):
        await_state(store, job_id, "succeeded")
    with store.unit() as unit:
        page = {"limit": 99, "cursor": None, "state": None, "method": None, "seed": None}
        trials = [unit.trials.get(trial.id) for trial in unit.trials.page(job_id, **page).items]
    tries = [[attempt.state for attempt in trial.attempts] for trial in trials if trial.attempts]
    assert tries.count(["lost", "succeeded"]) == 1


def test_a_dispatcher_that_lost_its_job_stops_working_on_it(
    settings: Settings, store: Store, job_spec: Callable[..., JobSpec], training: Any
):
    job_id = submit(store, job_spec())
    begun, ended = threading.Event(), threading.Event()

    def run(feed: Any, spec: JobSpec) -> None:
        endless(begun)(feed, spec)
        ended.set()

    with working(settings.model_copy(update={"lease_seconds": 0.0}), store, run, training.plan):
        assert begun.wait(10)
        take_over(store)
        assert ended.wait(10)
    assert get(store, job_id).state == "running"
