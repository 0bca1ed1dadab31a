"""Checkpoints that no front and no running trial needs are removed; those that are needed never are."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from service.jobs import JobRun
from service.retention import Rule, prune
from service.store.tables import FrontMember, Point, Trial
from workers.places import LocalPlace
from workers.report import TrialFailure

AT_ONCE = Rule(days=0, most_bytes=None)
SIZE = 100


class Searching:
    """A job under a claim whose trials leave files as real ones do."""

    def __init__(self, store, spec, training, place):
        self.store, self.training, self.place = store, training, place
        with store.unit() as unit:
            self.job_id = unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None)[0].id
            claim = unit.jobs.claim("test", 60)
        self.run = JobRun(store, claim, data_folder=place.folder, checkpoints=place, plan=training.plan)
        self.run.prepare()

    def begin(self):
        request = self.run.next_trial()
        if isinstance(request, str):
            return None
        self.run.started(request.trial_id)
        self.run.epoch(request.trial_id, self.training.report(1))
        for name in ("epoch-1.json", "epoch-1.safetensors"):
            self.place.child(request.trial_id).write(name, b"e" * SIZE)
        return request

    def end(self, request, **changes):
        outcome = self.training.good(request)
        points = tuple(replace(point, **changes) for point in outcome.points)
        for point in points:
            self.place.child(request.trial_id).write(point.checkpoint, b"p" * SIZE)
        self.run.succeeded(request.trial_id, replace(outcome, points=points))
        for name in ("epoch-1.json", "epoch-1.safetensors"):  # as the engine does once it is stored
            self.place.child(request.trial_id).remove(name)

    def on_front(self):
        with self.store.unit() as unit:
            front = unit.fronts.front(
                self.job_id, metric="bit_budget", method=None, seed=None, all_points=True
            )
            return {unit.points.checkpoint(point.id)[0]: point.on_front for point in front.points}


@pytest.fixture
def place(tmp_path):
    return LocalPlace(tmp_path / "checkpoints")


@pytest.fixture
def searching(store, job_spec, training, place):
    spec = job_spec(compute={"trials_per_study": 8}, methods=["random"])
    return Searching(store, spec, training, place)


def files(place):
    return {path.parent.name + "/" + path.name for path in place.folder.glob("*/*")}


def age(store, trial_id, days):
    with store.unit() as unit:
        moment = unit.retention.now() - timedelta(days=days)
        unit.retention._transaction.write().execute(
            update(Trial).where(Trial.id == trial_id).values(finished_at=moment)
        )


def dear(searching, request):
    """The costs of a point that no budget keeps."""
    found = searching.training.good(request).points[0].costs
    return {scope: {**costs, "bit_budget": 99.0} for scope, costs in found.items()}


def stored_bytes(store):
    with store.unit() as unit:
        return next(use.used for use in unit.quotas.uses() if use.name == "stored_bytes")


def test_what_fronts_and_running_trials_need_stays_and_the_rest_goes(searching, store, place):
    best, beaten, failed, running = (searching.begin() for _ in range(4))
    searching.end(best, validation_accuracy=0.9)
    searching.end(beaten, validation_accuracy=0.1, costs=dear(searching, beaten))
    searching.run.failed(failed.trial_id, TrialFailure(reason="nan_loss", message="no number"))
    before = files(place)
    would = prune(store, place, AT_ONCE, dry_run=True)
    assert (would.trials, would.files, would.removed_bytes, would.left_bytes) == (2, 3, 3 * SIZE, SIZE)
    assert files(place) == before
    assert prune(store, place, Rule(days=1, most_bytes=None)).files == 0
    assert prune(store, place, AT_ONCE).removed_bytes == 3 * SIZE
    running_files = {f"{running.trial_id}/epoch-1.{end}" for end in ("json", "safetensors")}
    assert files(place) == {f"{best.trial_id}/point-0.safetensors"} | running_files
    assert stored_bytes(store) == SIZE
    assert prune(store, place, AT_ONCE).files == 0


def test_beyond_a_size_those_go_first_that_ended_first_and_age_alone_needs_no_size(searching, store, place):
    searching.end(searching.begin(), validation_accuracy=0.99)
    requests = [searching.begin() for _ in range(3)]
    for number, request in enumerate(requests):
        searching.end(request, validation_accuracy=0.1, costs=dear(searching, request))
        age(store, request.trial_id, 10 - number)
    assert prune(store, place, Rule(days=None, most_bytes=None)).files == 0
    assert prune(store, place, Rule(days=None, most_bytes=3 * SIZE)).files == 1
    assert not place.child(requests[0].trial_id).names()
    assert prune(store, place, Rule(days=8.5, most_bytes=None)).files == 1
    assert not place.child(requests[1].trial_id).names()
    assert place.child(requests[2].trial_id).names()
    assert prune(store, place, Rule(days=None, most_bytes=0)).left_bytes == SIZE  # the front's own


def test_pruning_beside_a_running_job_takes_nothing_that_is_needed(searching, store, place):
    done = threading.Event()
    failures = []

    def keep_pruning():
        try:
            while not done.is_set():
                prune(store, place, AT_ONCE)
        except Exception as error:  # a thread's failure is the test's
            failures.append(error)

    pruner = threading.Thread(target=keep_pruning)
    pruner.start()
    try:
        while request := searching.begin():
            kept = place.child(request.trial_id)
            assert kept.names() == ["epoch-1.json", "epoch-1.safetensors"]
            searching.end(request)
    finally:
        done.set()
        pruner.join()
    assert not failures
    prune(store, place, AT_ONCE)
    fronts = searching.on_front()
    assert sum(fronts.values()) >= 2
    for trial, needed in fronts.items():
        if needed:
            assert place.child(trial).names() == ["point-0.safetensors"]
    assert any(not place.child(trial).names() for trial in fronts)


def test_a_point_that_another_job_took_over_keeps_its_checkpoint_for_that_one(
    store, job_spec, training, place, searching
):
    while request := searching.begin():
        searching.end(request)
    searching.run.finish()
    again = job_spec(name="again", compute={"trials_per_study": 8}, methods=["random"])
    second = Searching(store, again, training, place)
    assert second.begin() is None  # all of it is there already
    with store.unit() as unit:  # as where the first job's budget had kept none of them
        session = unit.retention._transaction.write()
        session.execute(delete(FrontMember).where(FrontMember.job_id == searching.job_id))
        session.execute(update(Point).where(Point.job_id == searching.job_id).values(feasible=False))
    prune(store, place, AT_ONCE)
    fronts = second.on_front()
    assert {bool(place.child(trial).names()) for trial, needed in fronts.items() if needed} == {True}
    with store.unit() as unit:
        session = unit.retention._transaction.write()
        session.execute(delete(FrontMember))
        session.execute(update(Point).values(feasible=False))
    prune(store, place, AT_ONCE)
    assert files(place) == set()
