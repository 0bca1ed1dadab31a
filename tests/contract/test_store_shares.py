"""What the store promises of a trial that counts as several and ends in several points, on both dialects."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from models.cost import Limit
from search.job import JobSpec
from search.strategy import LearnFront, proposal_to_json
from service.store import Store
from service.store.engine import open_engine
from service.store.studies import PlannedTrial
from workers.report import TrialFailure, TrialOutcome, TrialRequest

BUDGETS = (9.0, 4.0, 3.0)
DESCENT = LearnFront(
    budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in BUDGETS), trials=2, note={}
)


class Running:
    """A claimed job of three trials a study, whose first study has a descent of two and a trial of one."""

    def __init__(self, store: Store, spec: JobSpec, training: Any) -> None:
        self.store = store
        self.training = training
        self.spec = spec
        with store.unit() as unit:
            self.job_id = unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None)[0].id
            self.claim = unit.jobs.claim("test", 60)
        proposal = proposal_to_json(DESCENT)
        with store.unit() as unit:
            unit.studies.prepare(self.claim)
            self.study = unit.jobs.get(self.job_id).studies[0].id
            planned = [
                PlannedTrial(round=0, number=number, proposal=proposal, fingerprint=f"f-{share}", share=share)
                for number, share in enumerate((2, 1))
            ]
            unit.studies.plan(self.claim, self.study, planned)
            self.trials = [trial.id for trial in unit.studies.trials(self.study)]

    def do(self, name: str, trial: str, *rest: Any) -> bool:
        with self.store.unit() as unit:
            return getattr(unit.results, name)(self.claim, trial, *rest)

    def outcome(self) -> TrialOutcome:
        request = TrialRequest(
            trial_id="a", spec=self.spec.to_json(), proposal=proposal_to_json(DESCENT), seed=0
        )
        return self.training.good(request)

    def study_view(self) -> Any:
        with self.store.unit() as unit:
            return unit.jobs.get(self.job_id).studies[0]


@pytest.fixture
def running(store, job_spec, training) -> Running:
    return Running(store, job_spec(), training)


def test_a_trial_is_counted_by_its_share_in_every_state(running):
    descent, single = running.trials
    assert (running.study_view().trials_planned, running.study_view().trials_queued) == (3, 3)
    running.do("start", descent)
    assert (running.study_view().trials_queued, running.study_view().trials_running) == (1, 2)
    running.do("succeed", descent, running.outcome())
    running.do("start", single)
    running.do("fail", single, TrialFailure(reason="error", message="x"))
    view = running.study_view()
    assert (view.trials_succeeded, view.trials_failed, view.samples) == (2, 1, 400)
    with running.store.unit() as unit:
        assert unit.jobs.get(running.job_id).trials_finished == 3
        assert [unit.trials.get(trial).share for trial in running.trials] == [2, 1]
        assert [trial.planned.share for trial in unit.studies.trials(running.study)] == [2, 1]


def test_every_point_of_a_trial_is_kept_with_its_place_and_its_checkpoint(running):
    descent = running.trials[0]
    running.do("start", descent)
    running.do("succeed", descent, running.outcome())
    with running.store.unit() as unit:
        points = [unit.points.get(point) for point in unit.trials.get(descent).point_ids]
        files = [unit.points.checkpoint(point.id) for point in points]
        best = unit.jobs.get(running.job_id).best
    assert [point.ordinal for point in points] == [0, 1, 2]
    assert files == [(descent, f"point-{ordinal}.safetensors") for ordinal in range(3)]
    costs = [point.costs["searched"]["bit_budget"] for point in points]
    assert all(cost <= budget for cost, budget in zip(costs, BUDGETS, strict=True))
    assert (best[0].budget, best[0].point_id) == (3.0, points[2].id)


def test_a_descent_that_is_taken_over_counts_by_its_share_and_keeps_all_its_points(
    store, job_spec, training, running
):
    running.do("start", running.trials[0])
    running.do("succeed", running.trials[0], running.outcome())
    second = Running(store, job_spec(name="again"), training)
    assert second.do("reuse", second.trials[0], lambda point: point)
    view = second.study_view()
    assert (view.trials_succeeded, view.trials_reused, view.samples) == (2, 2, 400)
    with store.unit() as unit:
        points = unit.trials.get(second.trials[0]).point_ids
        assert [unit.points.get(point).ordinal for point in points] == [0, 1, 2]
        assert [unit.points.checkpoint(point) for point in points] == [
            (running.trials[0], f"point-{ordinal}.safetensors") for ordinal in range(3)
        ]


def test_seconds_left_count_shares_and_the_epochs_that_running_trials_have_behind_them(running, training):
    descent, single = running.trials
    running.do("start", single)
    running.do("succeed", single, running.outcome())
    with running.store.unit() as unit:
        seconds = unit.trials.get(single).seconds
        assert unit.jobs.get(running.job_id).seconds_left == pytest.approx(5 * seconds)
    running.do("start", descent)
    running.do("epoch", descent, training.report(1))  # of two epochs a trial
    with running.store.unit() as unit:
        assert unit.jobs.get(running.job_id).seconds_left == pytest.approx(4.5 * seconds)


def test_trials_stored_before_there_were_shares_count_as_one(running, database_url):
    engine = open_engine(database_url)
    with engine.begin() as connection:
        columns = (
            "job_id, study_id, method, seed, round, state, proposal, epochs_done, samples, seconds"
            ", created_at"
        )
        connection.execute(
            text(
                f"INSERT INTO trials (id, number, fingerprint, {columns})"  # noqa: S608 - our own words
                f" SELECT 'old', 9, 'old', {columns} FROM trials WHERE number = 1"
            )
        )
    engine.dispose()
    assert running.study_view().trials_queued == 4
