"""Points by several costs, on every database: as they were stored, or computed where they were not."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.cost import limit_cost
from models.errors import InvalidInputError, UnknownNameError
from service.api.jobs import stored_plan, view_of_plan
from service.fit.answer import fit_of
from service.store.studies import PlannedTrial
from service.store.tables import Job, Point
from workers.report import TrialOutcome


@pytest.fixture
def job(store, job_spec, training):
    """A job with a stored plan and two points of the same accuracy: 2 and 4 bits everywhere."""
    spec = job_spec(hardware={"rows": 2, "columns": 2}, methods=["random"], seeds=[0])
    plan = training.plan(spec, None)
    budgets = [spec.limit("bit_budget", maximum) for maximum in (2.0, 16.0)]
    made = [training.fitted(spec, budget) for budget in budgets]
    with store.unit() as unit:
        stored = stored_plan(view_of_plan(spec, plan), plan)
        job_id = unit.jobs.submit(spec, trials_planned=2, plan=stored, idempotency_key=None)[0].id
        claim = unit.jobs.claim("test", 60)
        unit.studies.prepare(claim)
        study = unit.jobs.get(job_id).studies[0].id
        for number, allocation in enumerate(made):
            planned = PlannedTrial(round=0, number=number, proposal={}, fingerprint=f"{job_id}-{number}")
            unit.studies.plan(claim, study, [planned])
            trial = unit.studies.trials(study)[-1].id
            unit.results.start(claim, trial)
            outcome = TrialOutcome(
                points=(training.point(allocation, accuracy=0.5 + 0.1 * number),), epochs=1, samples=1
            )
            unit.results.succeed(claim, trial, outcome)
    return job_id, spec, plan.layers, made


def cycles_of(spec, layers, made):
    """What each point costs in cycles on the job's hardware."""
    return [limit_cost(spec.limit("cycles", 1), layers, allocation) for allocation in made]


def forget(store, job_id, *, metrics, plan=None):
    """Make the points those of an earlier version, which knew fewer costs."""
    with store.unit() as unit:
        session = unit.fits._transaction.write()
        for point in session.query(Point).filter(Point.job_id == job_id):
            kept = {
                scope: {name: cost for name, cost in costs.items() if name not in metrics}
                for scope, costs in point.costs.items()
            }
            session.execute(update(Point).where(Point.id == point.id).values(costs=kept))
        if plan is not None:
            session.execute(update(Job).where(Job.id == job_id).values(plan=plan))


def test_costs_that_were_not_stored_are_computed_with_the_hardware_of_the_job(store, job):
    job_id, spec, layers, made = job
    low, high = cycles_of(spec, layers, made)
    forget(store, job_id, metrics={"cycles", "energy_uj"})
    with store.unit() as unit:
        source = unit.fits.source(job_id, {"cycles": (low + high) / 2, "weight_kib": 99.0})
    assert [row.costs[0] for row in source.rows] == pytest.approx([low, high])
    found = fit_of(job_id, source)
    assert (found.fits, found.compared, found.left_out) == (True, 2, 0)
    assert found.best.costs[0].cost == pytest.approx(low)


def test_the_best_that_keeps_all_limits_is_found(store, job):
    job_id, spec, layers, made = job
    _, high = cycles_of(spec, layers, made)
    with store.unit() as unit:
        found = fit_of(job_id, unit.fits.source(job_id, {"cycles": high, "weight_kib": 99.0}))
        tight = fit_of(job_id, unit.fits.source(job_id, {"cycles": high, "weight_kib": 0.01}))
    assert found.best.validation_accuracy == 0.6
    assert found.next is None
    assert not tight.fits
    assert tight.next.change == "smaller_network"


def test_what_cannot_be_computed_is_refused(store, job):
    job_id, *_ = job
    forget(store, job_id, metrics={"cycles"}, plan={})
    with store.unit() as unit:
        source = unit.fits.source(job_id, {"cycles": 1e9})
        assert source.left_out == 2
        with pytest.raises(InvalidInputError, match="cannot be computed"):
            fit_of(job_id, source)
        with pytest.raises(UnknownNameError, match="no cost table"):
            unit.fits.source(job_id, {"table": 5.0})
