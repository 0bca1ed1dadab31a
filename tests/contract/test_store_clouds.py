"""What the store promises of many points at once, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy import select

from models.errors import InvalidInputError
from search.pareto import is_on_front
from service.clouds.views import Region
from service.jobs import JobRun
from service.store.clouds import Choice
from service.store.engine import open_engine
from service.store.schema import downgrade
from service.store.tables import FrontExtent, PointSummary
from tests.conftest import LAYERS
from workers.report import TrialRequest

PLAN = {"layers": [{**asdict(layer), "searched": layer.fixed is None} for layer in LAYERS]}
for row in PLAN["layers"]:
    row["fixed"] = row["fixed"] and {"steps": 1, "spike_bits": [8], "weight_bits": 8}


@pytest.fixture
def run(store, job_spec, training, tmp_path):
    """Submits a job, runs it whole on made-up training, and gives its id."""

    def make(**changes) -> str:
        with store.unit() as unit:
            job, _ = unit.jobs.submit(job_spec(**changes), trials_planned=6, plan=PLAN, idempotency_key=None)
            claim = unit.jobs.claim("test", 60)
        search = JobRun(store, claim, data_folder=tmp_path, plan=training.plan)
        search.prepare()
        while isinstance(request := search.next_trial(), TrialRequest):
            search.started(request.trial_id)
            search.succeeded(request.trial_id, training.good(request))
        search.finish()
        return job.id

    return make


def seen(store, ids, metric="bit_budget", **asked):
    with store.unit() as unit:
        choice = Choice(metric=metric, methods=asked.pop("methods", ()), seeds=asked.pop("seeds", ()))
        return unit.clouds.view(unit.jobs.all_of(ids), choice, **{"most": 1_000, **asked})


def test_a_cloud_has_every_point_and_the_fronts_that_are_kept(store, run):
    ids = [run(seeds=[0]), run(seeds=[1, 2])]
    for metric in ("bit_budget", "weight_kib"):
        found = seen(store, ids, metric)
        with store.unit() as unit:
            kept = unit.fronts.overlay(unit.jobs.all_of(ids), metric=metric, all_points=True)
            stored = {one: unit.points.get(one) for one in (point.id for point in found.points)}
        assert {p.id: p.cost for p in found.points} == {p.id: p.cost for job in kept.jobs for p in job.points}
        assert {p.id for p in found.points if p.on_front} == {p.id for p in kept.front}
        assert all(p.costs["weight_kib"] == stored[p.id].costs["all"]["weight_kib"] for p in found.points)
    for point in found.points:
        bits = stored[point.id].costs["searched"]["bit_budget"]
        product = point.mean_weight_bits * point.mean_spike_bits * point.mean_steps
        assert product == pytest.approx(bits)


def test_a_thinned_answer_holds_its_fronts_and_only_points_that_there_are(store, run):
    ids = [run(seeds=[0, 1])]
    whole = {point.id: point for point in seen(store, ids).points}
    middle = float(np.median([point.cost for point in whole.values()]))
    for most in range(4):
        for region in (None, Region(cost_max=middle), Region(score_min=0.5, accuracy="test")):
            thin = seen(store, ids, most=most, region=region)
            inside = seen(store, ids, region=region)
            assert all(whole[point.id] == point for point in thin.points)
            fronts = {point.id for point in inside.points if point.on_own_front}
            assert fronts <= {point.id for point in thin.points}
            assert len(thin.points) - len(fronts) <= most
            assert (thin.total, thin.shown) == (inside.total, len(thin.points))


def test_fronts_of_chosen_seeds_are_over_their_points_alone(store, run):
    found = seen(store, [run(seeds=[0, 1, 2])], seeds=(1,))
    feasible = [point for point in found.points if point.feasible]
    kept = is_on_front([point.cost for point in feasible], [point.score for point in feasible])
    assert [point.on_front for point in feasible] == kept.tolist()
    assert {point.seed for point in found.points} == {1}


def test_jobs_that_do_not_compare_are_refused(store, run):
    ids = [run(), run(budget={"metric": "bit_budget", "max": [9], "scope": "all"})]
    with pytest.raises(InvalidInputError, match="all layers"):
        seen(store, ids)


def test_a_database_of_the_form_before_gets_the_same_rows(store, run, database_url):
    run(seeds=[0, 1])
    run(budget={"metric": "weight_kib", "max": [0.9]}, seeds=[5])
    engine = open_engine(database_url)
    before = rows_of(engine)
    assert len(before[0]) > 8
    downgrade(engine, to="0007")
    store.migrate()
    after = rows_of(engine)
    engine.dispose()
    assert after[1] == before[1]
    for (text, numbers), (same, others) in zip(after[0], before[0], strict=True):
        assert text == same
        assert numbers == pytest.approx(others)


def rows_of(engine):
    """Summaries as (what is no number, numbers), and extents."""
    with engine.connect() as connection:
        order = (PointSummary.job_id, PointSummary.place)
        summaries = [
            tuple(row) for row in connection.execute(select(PointSummary.__table__).order_by(*order))
        ]
        extents = connection.execute(
            select(FrontExtent.__table__).order_by(FrontExtent.job_id, FrontExtent.metric)
        ).all()
    is_number = [[isinstance(cell, float) for cell in row] for row in summaries]
    return [
        (
            [cell for cell, number in zip(row, kinds, strict=True) if not number],
            [cell for cell, number in zip(row, kinds, strict=True) if number],
        )
        for row, kinds in zip(summaries, is_number, strict=True)
    ], extents
