"""What the store promises of trials that were stopped early, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.allocation import Allocation, LayerBits
from search.job import JobSpec
from service.store import Store
from service.store.studies import PlannedTrial
from workers.report import TrialOutcome, TrialStop

BITS = LayerBits.uniform(steps=2, spike_bits=2, weight_bits=2)
ALLOCATION = Allocation(layers={"body": BITS, "classifier": BITS})
STOP = TrialStop(epochs=1, samples=100, message="stopped after epoch 1")


def proposal(bars: dict[str, float] | None = None) -> dict[str, Any]:
    note = {"budget": 9.0} | ({"bars": bars} if bars else {})
    return {"kind": "fixed_bits", "allocation": ALLOCATION.to_json(), "note": note}


class Running:
    """A claimed job whose first study has trials with these bars; a trial of it trains two epochs."""

    def __init__(self, store: Store, spec: JobSpec, training: Any, *bars: dict[str, float] | None) -> None:
        self.store, self.training = store, training
        with store.unit() as unit:
            self.job_id = unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None)[0].id
            self.claim = unit.jobs.claim("test", 60)
            unit.studies.prepare(self.claim)
            self.study = unit.jobs.get(self.job_id).studies[0].id
            planned = [
                PlannedTrial(round=0, number=number, proposal=proposal(one), fingerprint=f"same-{number}")
                for number, one in enumerate(bars)
            ]
            unit.studies.plan(self.claim, self.study, planned)
            self.trials = [trial.id for trial in unit.studies.trials(self.study)]

    def do(self, name: str, trial: str, *rest: Any) -> bool:
        with self.store.unit() as unit:
            return getattr(unit.results, name)(self.claim, trial, *rest)

    def train(self, trial: str, *scores: float) -> None:
        """Start a trial and report that many epochs; two end it with a point."""
        self.do("start", trial)
        for epoch, score in enumerate(scores, 1):
            self.do("epoch", trial, replace(self.training.report(epoch), validation_accuracy=score))
        if len(scores) == 2:
            point = self.training.point(ALLOCATION, accuracy=scores[-1])
            self.do("succeed", trial, TrialOutcome(points=(point,), epochs=2, samples=200))

    def trial(self, place: int) -> Any:
        with self.store.unit() as unit:
            return unit.trials.get(self.trials[place])

    def view(self) -> Any:
        with self.store.unit() as unit:
            return unit.jobs.get(self.job_id)


@pytest.fixture
def make(store, job_spec, training):
    def running(*bars: dict[str, float] | None, **changes: Any) -> Running:
        return Running(store, job_spec(**changes), training, *bars)

    return running


def test_a_stopped_trial_is_pruned_without_a_point_and_keeps_what_it_used(make):
    running = make({"1": 0.5})
    running.train(running.trials[0], 0.2)
    assert running.do("prune", running.trials[0], STOP)
    trial = running.trial(0)
    assert (trial.state, trial.reason, trial.message) == ("pruned", "early_stopping", STOP.message)
    assert (trial.epochs_done, trial.samples, trial.point_ids) == (1, 100, [])
    assert [attempt.state for attempt in trial.attempts] == ["pruned"]
    with running.store.unit() as unit:
        last = unit.events.after(running.job_id, after=0, limit=99)[-1]
        (study, *_) = unit.comparisons.studies(running.job_id)
    assert (last.kind, last.data["state"]) == ("trial_finished", "pruned")
    assert (study.samples, study.found) == (100, ())


def test_a_stop_counts_once_and_only_for_a_running_trial(make):
    running = make(None)
    assert not running.do("prune", running.trials[0], STOP)
    running.train(running.trials[0], 0.2)
    assert running.do("prune", running.trials[0], STOP)
    assert not running.do("prune", running.trials[0], STOP)
    point = running.training.point(ALLOCATION, accuracy=0.9)
    late = TrialOutcome(points=(point,), epochs=2, samples=200)
    assert not running.do("succeed", running.trials[0], late)


def test_a_stopped_trial_counts_as_the_part_that_it_trained(make):
    running = make(None, {"1": 0.5}, {"1": 0.5}, None)
    running.train(running.trials[0], 0.6, 0.7)
    for trial in running.trials[1:3]:
        running.train(trial, 0.2)
        running.do("prune", trial, STOP)
        study = running.view().studies[0]
    assert (study.trials_succeeded, study.trials_stopped, study.trials_reused) == (1, 2, 0)
    assert study.samples == 400
    assert running.view().trials_finished == 2
    assert running.view().seconds_left is not None


def test_a_stopped_training_is_never_taken_over(make):
    first = make({"1": 0.5})
    first.train(first.trials[0], 0.2)
    first.do("prune", first.trials[0], STOP)
    second = make(None)
    assert not second.do("reuse", second.trials[0], lambda point: point)


@pytest.mark.parametrize(
    ("bars", "state"), [(None, "succeeded"), ({"1": 0.3}, "succeeded"), ({"1": 0.31}, "pruned")]
)
def test_a_training_that_is_taken_over_is_stopped_where_it_would_have_been(make, bars, state):
    first = make(None)
    first.train(first.trials[0], 0.3, 0.7)
    second = make(bars)
    assert second.do("reuse", second.trials[0], lambda point: point)
    trial = second.trial(0)
    assert (trial.state, trial.reused_from) == (state, first.trials[0])
    assert (trial.samples, len(trial.point_ids)) == ((200, 1) if state == "succeeded" else (100, 0))
    study = second.view().studies[0]
    assert (study.trials_reused, study.trials_stopped) == ((1, 0) if state == "succeeded" else (0, 1))


def test_a_taken_over_training_is_stopped_by_the_objective_of_its_own_job(make):
    first = make(None)
    first.do("start", first.trials[0])
    for epoch, loss in ((1, 1.0), (2, 0.5)):
        report = replace(first.training.report(epoch), validation_loss=loss, validation_balanced_accuracy=0.9)
        first.do("epoch", first.trials[0], report)
    measured = {"validation_loss": 0.5, "test_loss": 0.5}
    point = replace(first.training.point(ALLOCATION, accuracy=0.9), **measured)
    first.do("succeed", first.trials[0], TrialOutcome(points=(point,), epochs=2, samples=200))
    for bar, state in ((0.36, "succeeded"), (0.37, "pruned")):  # exp(-1) is 0.368
        second = make({"1": bar}, objective="loss")
        second.do("reuse", second.trials[0], lambda point: point)
        assert second.trial(0).state == state


def test_curves_are_told_as_far_as_they_count(make):
    first = make(None)
    first.train(first.trials[0], 0.3, 0.7)
    second = make({"1": 0.5}, None)
    second.do("reuse", second.trials[0], lambda point: point)
    second.train(second.trials[1], 0.4)
    with second.store.unit() as unit:
        told = unit.studies.trials(second.study, curves="accuracy")
        plain = unit.studies.trials(second.study)
    assert [trial.scores for trial in told] == [(0.3,), (0.4,)]
    assert [trial.scores for trial in plain] == [(), ()]


def test_trials_that_a_job_leaves_behind_are_not_stopped_early(make):
    running = make(None, None)
    running.train(running.trials[0], 0.2)
    with running.store.unit() as unit:
        unit.jobs.finish(running.claim, "succeeded")
    assert (running.trial(0).state, running.trial(0).reason) == ("pruned", None)
    assert running.view().studies[0].trials_stopped == 0
    assert running.view().trials_finished == 2
