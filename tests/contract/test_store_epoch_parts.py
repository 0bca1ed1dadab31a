"""What the store promises of checkpoints within epochs: samples move on, and count as progress."""

from __future__ import annotations

import pytest

from tests.contract.running_job import ALLOCATION, RunningJob
from tests.contract.test_store_queue import claim, start_trial, submit
from workers.report import TrialOutcome


@pytest.fixture
def running(store, job_spec) -> RunningJob:
    return RunningJob(store, job_spec())


def test_a_checkpoint_within_an_epoch_moves_samples_on_and_never_back(running, training):
    trial = running.trials[0]
    running.do("advance", trial, 50)  # it does not run yet
    assert samples(running, trial) == 0
    running.do("start", trial)
    for told, known in ((120, 120), (70, 120), (150, 150)):
        running.do("advance", trial, told)
        assert samples(running, trial) == known
    kinds = running.kinds()
    running.do("advance", trial, 160)
    assert running.kinds() == kinds  # no event: there are many, and none of them is a result
    point = training.point(ALLOCATION, accuracy=0.75)
    outcome = TrialOutcome(points=(point,), epochs=2, samples=200, provenance={})
    running.do("succeed", trial, outcome)
    running.do("advance", trial, 10_000)
    assert samples(running, trial) == outcome.samples


def samples(running, trial):
    with running.store.unit() as unit:
        return unit.trials.get(trial).samples


def test_a_checkpoint_within_an_epoch_is_progress_where_no_earlier_one_came_as_far(store, job_spec):
    submit(store, job_spec())
    for samples, _ in ((10, "new"), (20, "new"), (20, "again"), (15, "again")):
        held = claim(store, 0.0, most_fruitless=2)
        trial = start_trial(store, held)
        with store.unit() as unit:
            unit.results.advance(held, trial, samples)
    assert claim(store, most_fruitless=2) is None
