"""What the store promises of comparisons, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import event

from models.cost import COST_VERSIONS
from search.comparison import Found, StudyRecord, compare
from service.errors import NotFoundError
from service.jobs import JobRun
from service.store import Store
from service.store.studies import PlannedTrial
from workers.report import PointResult, TrialFailure, TrialOutcome, TrialRequest

PLANNED = {"samples_per_study": 600}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A claimed job in a store, whose trials a test runs itself."""

    store: Store
    claim: Any

    def plan(self, method: str, seed: int, count: int, *, same_as: str = "") -> list[str]:
        """Plan that many trials of a study; their ids by number."""
        study = self.study(method, seed)
        marks = [same_as or f"{study}-{number}" for number in range(count)]
        planned = [
            PlannedTrial(round=0, number=number, proposal={}, fingerprint=mark)
            for number, mark in enumerate(marks)
        ]
        with self.store.unit() as unit:
            unit.studies.plan(self.claim, study, planned)
            return [trial.id for trial in unit.studies.trials(study)]

    def study(self, method: str, seed: int) -> str:
        with self.store.unit() as unit:
            studies = unit.jobs.get(self.claim.job_id).studies
        return next(one.id for one in studies if (one.method, one.seed) == (method, seed))

    def succeed(self, trial: str, *costs: float, samples: int = 200, accuracy: float = 0.5) -> None:
        """Run a trial to a point at each cost."""
        points = tuple(point(cost, accuracy) for cost in costs)
        with self.store.unit() as unit:
            unit.results.start(self.claim, trial)
            unit.results.succeed(
                self.claim, trial, TrialOutcome(points=points, epochs=2, samples=samples, provenance={})
            )

    def fail(self, trial: str, training: Any) -> None:
        """Run a trial to a failure in its second epoch."""
        with self.store.unit() as unit:
            unit.results.start(self.claim, trial)
            unit.results.epoch(self.claim, trial, training.report(1))
            unit.results.fail(self.claim, trial, TrialFailure(reason="nan_loss", message="no number"))

    def studies(self) -> dict[tuple[str, int], StudyRecord]:
        with self.store.unit() as unit:
            found = unit.comparisons.studies(self.claim.job_id)
        return {(one.method, one.seed): one for one in found}


def point(cost: float, accuracy: float) -> PointResult:
    costs = {"bit_budget": cost, "s_ace": 1.0, "weight_kib": 1.0, "spike_kib": 1.0}
    return PointResult(
        allocation={},
        costs={"searched": costs, "all": costs},
        cost_versions=COST_VERSIONS,
        rates={},
        validation_accuracy=accuracy,
        test_accuracy=accuracy - 0.01,
        checkpoint="point-0.safetensors",
        checkpoint_sha256="0",
    )


@pytest.fixture
def claimed(store, job_spec):
    def make(plan: dict[str, Any] | None = None, **changes: Any) -> Stored:
        spec = job_spec(**{"seeds": [0, 1], **changes})
        with store.unit() as unit:
            unit.jobs.submit(spec, trials_planned=12, plan=plan or {}, idempotency_key=None)
            claim = unit.jobs.claim("test", 60)
            unit.studies.prepare(claim)
        return Stored(store=store, claim=claim)

    return make


def test_compute_adds_up_in_the_order_of_trials_not_of_time(claimed):
    job = claimed(PLANNED)
    first, second, third = job.plan("random", 0, 3)
    job.succeed(third, 3.0, samples=300, accuracy=0.7)
    job.succeed(second, 2.0, samples=200, accuracy=0.6)
    job.succeed(first, 1.0, samples=100, accuracy=0.5)
    found = job.studies()["random", 0]
    assert [(one.samples, one.cost, one.score) for one in found.found] == [
        (100, 1.0, 0.5),
        (300, 2.0, 0.6),
        (600, 3.0, 0.7),
    ]
    assert [one.test_score for one in found.found] == pytest.approx([0.49, 0.59, 0.69])
    assert (found.share, found.samples) == (600, 600)


def test_each_study_has_a_compute_of_its_own(claimed):
    job = claimed(PLANNED)
    for method, seed in (("random", 0), ("random", 1), ("uniform", 0)):
        first, second = job.plan(method, seed, 2)
        job.succeed(first, 2.0, samples=100)
        job.succeed(second, 3.0, samples=100 * (seed + 2))
    found = job.studies()
    used = {key: [point.samples for point in one.found] for key, one in found.items() if one.found}
    assert used == {("random", 0): [100, 300], ("random", 1): [100, 400], ("uniform", 0): [100, 300]}
    assert found["uniform", 1].samples == 0


def test_failed_trials_count_with_what_they_processed(claimed, training):
    job = claimed(PLANNED)
    first, second, _ = job.plan("random", 1, 3)
    job.fail(first, training)
    job.succeed(second, 2.0)
    found = job.studies()["random", 1]
    assert [one.samples for one in found.found] == [300]
    assert found.samples == 300


def test_reused_trials_count_as_if_they_had_been_trained(claimed):
    job = claimed(PLANNED)
    (trained,) = job.plan("random", 0, 1, same_as="twin")
    (taken,) = job.plan("uniform", 0, 1, same_as="twin")
    job.succeed(trained, 2.0)
    with job.store.unit() as unit:
        assert unit.results.reuse(job.claim, taken, lambda point: point)
    ours, theirs = job.studies()["random", 0], job.studies()["uniform", 0]
    assert theirs.found == ours.found
    assert theirs.samples == ours.samples == 200
    assert theirs.seconds == ours.seconds > 0


def test_all_feasible_points_of_a_trial_are_there_and_no_others(claimed):
    job = claimed(PLANNED)
    (trial,) = job.plan("random", 0, 1)
    job.succeed(trial, 2.0, 9.5, 4.0)
    found = job.studies()["random", 0].found
    assert [(one.samples, one.cost) for one in found] == [(200, 2.0), (200, 4.0)]


def test_seconds_are_of_the_trials_and_times_their_gpus(claimed, training):
    gpus = {"trials_per_study": 3, "gpus_per_trial": 2}
    job = claimed(PLANNED, compute=gpus)
    first, second, _ = job.plan("random", 0, 3)
    job.fail(first, training)
    job.succeed(second, 2.0)
    with job.store.unit() as unit:
        seconds = sum(unit.trials.get(trial).seconds for trial in (first, second))
    found = job.studies()["random", 0]
    assert found.seconds == pytest.approx(seconds)
    assert found.device_seconds == pytest.approx(2 * seconds)


def test_studies_come_in_the_order_of_the_job_and_say_whether_they_have_finished(claimed):
    job = claimed(PLANNED, methods=["random", "optuna-tpe"])
    with job.store.unit() as unit:
        unit.studies.finish(job.claim, job.study("optuna-tpe", 1))
    found = job.studies()
    assert list(found) == [(name, seed) for name in ("random", "optuna-tpe", "uniform") for seed in (0, 1)]
    assert [key for key, one in found.items() if one.finished] == [("optuna-tpe", 1)]


def test_a_job_that_has_not_begun_has_studies_that_did_nothing(store, job_spec):
    with store.unit() as unit:
        job, _ = unit.jobs.submit(job_spec(), trials_planned=6, plan=PLANNED, idempotency_key=None)
        found = unit.comparisons.studies(job.id)
    nothing = StudyRecord(
        method="random",
        seed=0,
        share=600,
        samples=0,
        seconds=0,
        device_seconds=0,
        finished=False,
        found=(),
    )
    assert found == (nothing, replace(nothing, method="uniform"))


@pytest.mark.parametrize(
    ("dataset", "share"),
    [
        ({"name": "digits", "train_samples": 300}, 3 * 2 * 300),  # trials, epochs, samples
        ({"name": "digits"}, 3 * 2 * 100),  # a trial processed 200 in two epochs
    ],
)
def test_without_a_stored_plan_the_share_follows_from_the_job_or_its_trials(
    claimed, training, dataset, share
):
    job = claimed(dataset=dataset)
    first, second, _ = job.plan("random", 0, 3)
    job.fail(first, training)
    job.succeed(second, 2.0)
    assert {one.share for one in job.studies().values()} == {share}


def test_a_job_that_is_not_there_is_refused(store):
    with store.unit() as unit, pytest.raises(NotFoundError):
        unit.comparisons.studies("job-0")


def test_three_queries_read_a_job(claimed):
    job = claimed(PLANNED)
    for seed in (0, 1):
        for trial in job.plan("random", seed, 3):
            job.succeed(trial, 2.0, 3.0)
    asked: list[str] = []
    with job.store.unit() as unit:
        engine = unit.comparisons._session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
        unit.comparisons.studies(job.claim.job_id)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 3


def test_a_search_that_the_engine_ran_is_compared(store, job_spec, training, tmp_path):
    spec = job_spec(methods=["random"], seeds=[0, 1, 2], compute={"trials_per_study": 3})
    with store.unit() as unit:
        unit.jobs.submit(spec, trials_planned=18, plan=PLANNED, idempotency_key=None)
        claim = unit.jobs.claim("test", 60)
    run = JobRun(store, claim, data_folder=tmp_path, plan=training.plan)
    run.prepare()
    while isinstance(request := run.next_trial(), TrialRequest):
        run.started(request.trial_id)
        run.succeeded(request.trial_id, training.good(request))
    run.finish()
    with store.unit() as unit:
        studies = unit.comparisons.studies(claim.job_id)
        points = unit.points.page(claim.job_id, limit=100, cursor=None).items
    assert all(one.finished and one.samples == one.share == 600 for one in studies)
    kept = sorted((one.cost, one.score) for study in studies for one in study.found)
    assert kept == sorted((p.costs["searched"]["bit_budget"], p.validation_accuracy) for p in points)
    found = compare(studies, budgets=(3.0, 9.0), subject="random")
    assert found.refusal is None
    assert isinstance(studies[0].found[0], Found)
