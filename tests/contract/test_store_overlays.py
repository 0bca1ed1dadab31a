"""What the store promises of fronts over one another and of attempts, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import pytest

from models.errors import InvalidInputError
from search.pareto import is_on_front
from service.errors import NotFoundError
from service.jobs import JobRun
from workers.report import TrialOutcome, TrialRequest


@pytest.fixture
def run(store, job_spec, training, tmp_path):
    """Submits a job, runs it whole on made-up training, and gives its id."""

    def make(**changes) -> str:
        with store.unit() as unit:
            job, _ = unit.jobs.submit(
                job_spec(**changes), trials_planned=6, plan={}, idempotency_key=None, labels={"a": "b"}
            )
            claim = unit.jobs.claim("test", 60)
        search = JobRun(store, claim, data_folder=tmp_path, plan=training.plan)
        search.prepare()
        while isinstance(request := search.next_trial(), TrialRequest):
            search.started(request.trial_id)
            end = training.good(request)
            assert isinstance(end, TrialOutcome)
            search.succeeded(request.trial_id, end)
        search.finish()
        return job.id

    return make


def test_the_front_over_all_is_that_over_every_point(store, run):
    ids = [run(seeds=[0]), run(seeds=[1, 2])]
    with store.unit() as unit:
        found = unit.fronts.overlay(unit.jobs.all_of(ids), metric="bit_budget", all_points=True)
    points = [point for job in found.jobs for point in job.points if point.feasible]
    kept = is_on_front([point.cost for point in points], [point.validation_accuracy for point in points])
    expected = {point.id for point, stays in zip(points, kept, strict=True) if stays}
    assert {point.id for point in found.front} == expected
    assert [job.job_id for job in found.jobs] == ids
    assert all(job.labels == {"a": "b"} for job in found.jobs)
    assert found.hypervolume >= max(job.hypervolume for job in found.jobs) > 0


def test_jobs_that_count_other_layers_are_not_laid_over_one_another(store, run):
    ids = [run(), run(budget={"metric": "bit_budget", "max": [9], "scope": "all"})]
    with store.unit() as unit, pytest.raises(InvalidInputError, match="all layers"):
        unit.fronts.overlay(unit.jobs.all_of(ids), metric="bit_budget", all_points=False)
    with store.unit() as unit, pytest.raises(NotFoundError):
        unit.jobs.all_of([ids[0], "job-0"])


def test_attempts_of_a_job_come_in_pages_from_the_newest(store, run):
    other, job_id = run(), run(seeds=[7])
    with store.unit() as unit:
        first = unit.trials.attempts_page(job_id, limit=4, cursor=None)
        rest = unit.trials.attempts_page(job_id, limit=4, cursor=first.next_cursor)
        trials = unit.trials.page(job_id, limit=50, cursor=None, state=None, method=None, seed=None).items
        with pytest.raises(NotFoundError):
            unit.trials.attempts_page("job-0", limit=4, cursor=None)
        with pytest.raises(InvalidInputError):
            unit.trials.attempts_page(other, limit=4, cursor="nonsense")
    found = [*first.items, *rest.items]
    assert rest.next_cursor is None
    assert {attempt.trial_id for attempt in found} == {trial.id for trial in trials if not trial.reused_from}
    assert all((attempt.state, attempt.seed) == ("succeeded", 7) for attempt in found)
    assert [attempt.started_at for attempt in found] == sorted(
        (attempt.started_at for attempt in found), reverse=True
    )
