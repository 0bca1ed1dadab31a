"""What the store promises of objectives, on SQLite and PostgreSQL alike: only validation scores choose."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, insert, select, text

from models.cost import COST_VERSIONS
from service.store import Store
from service.store.engine import WRITES, open_engine
from service.store.schema import _config, migrate
from service.store.studies import PlannedTrial
from workers.report import PointResult, TrialOutcome

WHOLE = {"metric": "bit_budget", "method": None, "seed": None}
COSTS = {"bit_budget": 2.0, "s_ace": 1.0, "weight_kib": 1.0, "spike_kib": 1.0}

ACCURATE, BALANCED, SURE = range(3)
"""Three points of equal cost, each the best by one objective."""


def point(accuracy: float, balanced: float | None, loss: float | None) -> PointResult:
    """Its test values rank the three points the other way round."""
    return PointResult(
        allocation={},
        costs={"searched": COSTS, "all": COSTS},
        cost_versions=COST_VERSIONS,
        rates={},
        validation_accuracy=accuracy,
        test_accuracy=1 - accuracy,
        validation_balanced_accuracy=balanced,
        test_balanced_accuracy=None if balanced is None else 1 - balanced,
        validation_loss=loss,
        test_loss=None if loss is None else 1 / loss,
        checkpoint="point-0.safetensors",
        checkpoint_sha256="0",
    )


POINTS = (point(0.9, 0.5, 2.0), point(0.8, 0.7, 1.0), point(0.7, 0.6, 0.5))


def ran(store: Store, spec: Any, points: tuple[PointResult, ...] = POINTS) -> tuple[str, list[str]]:
    """A job whose first study trained these points, each in a trial; its id and the points' ids."""
    with store.unit() as unit:
        job_id = unit.jobs.submit(spec, trials_planned=9, plan={}, idempotency_key=None)[0].id
        claim = unit.jobs.claim("test", 60)
        unit.studies.prepare(claim)
        study = unit.jobs.get(job_id).studies[0].id
        planned = [
            PlannedTrial(round=0, number=number, proposal={}, fingerprint=f"same-{number}")
            for number in range(len(points))
        ]
        unit.studies.plan(claim, study, planned)
        trials = [trial.id for trial in unit.studies.trials(study)]
        for trial, result in zip(trials, points, strict=True):
            if not unit.results.reuse(claim, trial, lambda point: point):
                unit.results.start(claim, trial)
                unit.results.succeed(claim, trial, TrialOutcome(points=(result,), epochs=2, samples=200))
        unit.jobs.finish(claim, "succeeded")
        return job_id, [unit.trials.get(trial).point_ids[0] for trial in trials]


@pytest.mark.parametrize(
    ("objective", "chosen", "scores"),
    [
        ("accuracy", ACCURATE, (0.9, 0.1)),
        ("balanced_accuracy", BALANCED, (0.7, 0.3)),
        ("loss", SURE, (math.exp(-0.5), math.exp(-2))),
    ],
)
def test_the_validation_value_of_the_objective_chooses(store, job_spec, objective, chosen, scores):
    score, test_score = scores
    job_id, ids = ran(store, job_spec(objective=objective))
    with store.unit() as unit:
        front = unit.fronts.front(job_id, **WHOLE, all_points=False)
        one_seed = unit.fronts.front(job_id, **(WHOLE | {"seed": 0}), all_points=False)
        best = unit.fronts.best(job_id, metric="bit_budget", maximum=3)
        job = unit.jobs.get(job_id)
        told = unit.studies.trials(job.studies[0].id)
        study = unit.comparisons.studies(job_id)[0]
    assert [one.id for one in front.points] == [one.id for one in one_seed.points] == [ids[chosen]]
    assert best is not None
    assert {best.id, job.best[0].point_id} == {ids[chosen]}
    assert (front.objective, best.objective) == (objective, objective)
    assert (front.points[0].score, front.points[0].test_score) == pytest.approx((score, test_score))
    assert (job.best[0].score, job.best[0].test_score) == pytest.approx((score, test_score))
    assert front.hypervolume == pytest.approx(score * (9 - 2) / 9)
    assert max(trial.points[0].score for trial in told) == pytest.approx(score)
    assert max((one.score, one.test_score) for one in study.found) == pytest.approx((score, test_score))


def test_a_point_keeps_all_that_was_measured(store, job_spec):
    _, ids = ran(store, job_spec())
    with store.unit() as unit:
        seen = unit.points.get(ids[0])
    assert (seen.validation_balanced_accuracy, seen.test_balanced_accuracy) == (0.5, 0.5)
    assert (seen.validation_loss, seen.test_loss) == (2.0, 0.5)
    assert (seen.score, seen.test_score) == (seen.validation_accuracy, seen.test_accuracy)


def test_a_loss_beyond_numbers_scores_nothing(store, job_spec):
    hopeless = replace(point(0.9, 0.5, 2.0), validation_loss=math.inf, test_loss=math.inf)
    _, ids = ran(store, job_spec(objective="loss"), (hopeless,))
    with store.unit() as unit:
        seen = unit.points.get(ids[0])
    assert (seen.score, seen.test_score, seen.validation_loss) == (0.0, 0.0, None)


def test_a_job_with_another_objective_takes_points_over_by_its_own(store, job_spec):
    ran(store, job_spec())
    job_id, ids = ran(store, job_spec(objective="loss"))
    with store.unit() as unit:
        assert unit.jobs.get(job_id).studies[0].trials_reused == 3
        front = unit.fronts.front(job_id, **WHOLE, all_points=False)
    assert [one.id for one in front.points] == [ids[SURE]]


@pytest.mark.parametrize(("objective", "reused"), [("accuracy", 1), ("balanced_accuracy", 0), ("loss", 0)])
def test_points_without_what_the_objective_takes_are_trained_again(store, job_spec, objective, reused):
    ran(store, job_spec(), (point(0.9, None, None),))
    job_id, _ = ran(store, job_spec(objective=objective), (point(0.9, 0.5, 2.0),))
    with store.unit() as unit:
        assert unit.jobs.get(job_id).studies[0].trials_reused == reused
    _, again = ran(store, job_spec(objective=objective), (point(0.9, 0.5, 2.0),))
    with store.unit() as unit:
        assert unit.trials.get(unit.points.get(again[0]).trial_id).reused_from is not None


def test_points_of_an_older_database_score_their_accuracy_and_the_change_can_be_undone(
    database_url, job_spec
):
    engine = open_engine(database_url)
    migrate(engine)
    store = Store(engine)
    job_id, _ = ran(store, job_spec(), (point(0.9, 0.5, 2.0),))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    with engine.connect() as connection:
        old = Table("points", MetaData(), autoload_with=connection)
        members = Table("front_members", MetaData(), autoload_with=connection)
        assert "score" not in old.c
        assert {row.accuracy for row in connection.execute(select(members))} == {0.9}
        row = dict(connection.execute(select(old)).one()._mapping)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        later = {"seq": 2, "id": "point-2", "ordinal": 1, "place": 9, "validation_accuracy": 0.25}
        connection.execute(insert(old).values(row | later | {"test_accuracy": 0.125}))
        assert connection.execute(text("SELECT count(*) FROM points")).scalar() == 2
    migrate(engine)
    with store.unit() as unit:
        seen = unit.points.get("point-2")
        front = unit.fronts.front(job_id, **WHOLE, all_points=True)
    assert (seen.score, seen.test_score, seen.validation_loss) == (0.25, 0.125, None)
    assert [(one.score, one.on_front) for one in front.points] == [(0.9, True), (0.25, False)]
    store.close()
