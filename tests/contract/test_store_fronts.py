"""What the store promises of fronts, on SQLite and PostgreSQL alike: kept fronts equal computed ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.cost import COST_VERSIONS, default_scope
from models.errors import UnknownNameError
from search.pareto import hypervolume, is_on_front
from service.store import Store
from service.store.studies import PlannedTrial
from service.views import PointView
from workers.report import PointResult, TrialOutcome

KEYS = (("random", 0), ("random", 1), ("uniform", 0), ("uniform", 1))
TOP = 6
METRICS = ("bit_budget", "s_ace", "weight_kib", "spike_kib")
"""What the points of these tests have costs by, as those of earlier versions: no cycles, no energy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A point to be stored: its study, its costs by metric (the same in both scopes), its accuracy."""

    study: int
    costs: tuple[int, int, int, int]
    accuracy: float

    def outcome(self) -> TrialOutcome:
        named = dict(zip(METRICS, map(float, self.costs), strict=True))
        point = PointResult(
            allocation={},
            costs={"searched": named, "all": {name: 2 * cost for name, cost in named.items()}},
            cost_versions=COST_VERSIONS,
            rates={},
            validation_accuracy=self.accuracy,
            test_accuracy=self.accuracy,
            checkpoint="point-0.safetensors",
            checkpoint_sha256="0",
        )
        return TrialOutcome(points=(point,), epochs=1, samples=1)

    def cost(self, metric: str) -> float:
        """As a job with the budget's default scope shows it."""
        return self.costs[METRICS.index(metric)] * (2.0 if default_scope(metric) == "all" else 1.0)


few = st.integers(1, 8)  # few values, so that equal ones are common
points = st.builds(
    Made,
    study=st.integers(0, 3),
    costs=st.tuples(few, few, few, few),
    accuracy=st.integers(0, 4).map(lambda fifths: fifths / 5),
)


def stored(store: Store, spec: Any, made: list[Made], order: list[int]) -> tuple[str, list[str]]:
    """A job whose points arrive in some order; its id, and the points' ids in the order of `made`."""
    with store.unit() as unit:
        job_id = unit.jobs.submit(spec, trials_planned=9, plan={}, idempotency_key=None)[0].id
        claim = unit.jobs.claim("test", 60)
        unit.studies.prepare(claim)
        studies = [study.id for study in unit.jobs.get(job_id).studies]
        trials: list[str] = []
        for number, point in enumerate(made):
            planned = PlannedTrial(round=0, number=number, proposal={}, fingerprint=f"{job_id}-{number}")
            unit.studies.plan(claim, studies[point.study], [planned])
            trials.append(unit.studies.trials(studies[point.study])[-1].id)
        for place in order:
            unit.results.start(claim, trials[place])
            unit.results.succeed(claim, trials[place], made[place].outcome())
        ids = [unit.trials.get(trial).point_ids[0] for trial in trials]
        unit.jobs.finish(claim, "succeeded")
    return job_id, ids


def expected(
    made: list[Made], ids: list[str], metric: str, method: str | None, seed: int | None
) -> list[str]:
    """The ids of the front, computed afresh over the feasible points, those of the first studies first."""
    chosen = sorted(
        (place for place, point in enumerate(made) if point.costs[0] <= TOP and _asked(point, method, seed)),
        key=lambda place: (made[place].study, place),
    )
    kept = is_on_front(
        [made[place].cost(metric) for place in chosen], [made[place].accuracy for place in chosen]
    )
    return [ids[place] for place, stays in zip(chosen, kept, strict=True) if stays]


def _asked(point: Made, method: str | None, seed: int | None) -> bool:
    own_method, own_seed = KEYS[point.study]
    return method in {None, own_method} and seed in {None, own_seed}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), made=st.lists(points, max_size=9))
def test_a_kept_front_equals_the_front_of_all_points(store, job_spec, data, made):
    spec = job_spec(seeds=[0, 1], budget={"max": [3, TOP]})
    order = data.draw(st.permutations(range(len(made))))
    job_id, ids = stored(store, spec, made, order)
    with store.unit() as unit:
        for metric in METRICS:
            for method in (None, "random", "uniform"):
                for seed in (None, 1):
                    asked = {"metric": metric, "method": method, "seed": seed}
                    front = unit.fronts.front(job_id, **asked, all_points=False)
                    everything = unit.fronts.front(job_id, **asked, all_points=True)
                    right = expected(made, ids, **asked)
                    assert {point.id for point in front.points} == set(right)
                    assert {point.id for point in everything.points if point.on_front} == set(right)
                    assert len(everything.points) == sum(_asked(point, method, seed) for point in made)
                    assert everything.hypervolume == front.hypervolume


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(points, min_size=1, max_size=9), maximum=st.integers(0, 16))
def test_the_best_point_is_the_most_accurate_feasible_one_within_the_maximum(store, job_spec, made, maximum):
    spec = job_spec(seeds=[0, 1], budget={"max": [TOP]})
    job_id, _ = stored(store, spec, made, list(range(len(made))))
    with store.unit() as unit:
        for metric in METRICS:
            best = unit.fronts.best(job_id, metric=metric, maximum=maximum)
            within = [
                (-point.accuracy, point.cost(metric))
                for point in made
                if point.costs[0] <= TOP and point.cost(metric) <= maximum
            ]
            assert seen(best, metric) == min(within, default=None)


def seen(point: PointView | None, metric: str) -> tuple[float, float] | None:
    """A point as `min` ranks it."""
    return point and (-point.validation_accuracy, point.costs[default_scope(metric)][metric])


MADE = [
    Made(study=0, costs=(2, 40, 1, 1), accuracy=0.4),
    Made(study=1, costs=(4, 10, 1, 1), accuracy=0.6),
    Made(study=2, costs=(4, 20, 1, 1), accuracy=0.4),
    Made(study=3, costs=(8, 80, 1, 1), accuracy=0.8),
]


@pytest.fixture
def job_id(store, job_spec) -> str:
    return stored(store, job_spec(seeds=[0, 1], budget={"max": [3, TOP]}), MADE, [3, 1, 2, 0])[0]


def test_a_front_is_measured_against_the_greatest_budget(store, job_id):
    with store.unit() as unit:
        front = unit.fronts.front(job_id, metric="bit_budget", method=None, seed=None, all_points=False)
    assert (front.scope, front.budgets, front.reference_cost) == ("searched", [3.0, 6.0], 6.0)
    assert [(point.cost, point.validation_accuracy) for point in front.points] == [(2.0, 0.4), (4.0, 0.6)]
    assert front.hypervolume == pytest.approx(hypervolume([2, 4], [0.4, 0.6], 6))
    assert front.hypervolumes == pytest.approx(
        {"random": hypervolume([2, 4], [0.4, 0.6], 6), "uniform": hypervolume([4], [0.4], 6)}
    )


def test_a_front_by_another_metric_is_measured_against_the_greatest_feasible_cost(store, job_id):
    with store.unit() as unit:
        front = unit.fronts.front(job_id, metric="s_ace", method=None, seed=None, all_points=True)
    assert (front.budgets, front.reference_cost) == ([], 40.0)
    assert [(point.cost, point.on_front) for point in front.points] == [
        (10.0, True),
        (20.0, False),
        (40.0, False),
        (80.0, False),
    ]


def test_a_budget_in_another_scope_is_shown_in_that_scope(store, job_spec):
    spec = job_spec(seeds=[0, 1], budget={"metric": "bit_budget", "max": [9], "scope": "all"})
    job_id, _ = stored(store, spec, MADE, [0, 1, 2, 3])
    with store.unit() as unit:
        front = unit.fronts.front(job_id, metric="bit_budget", method=None, seed=None, all_points=False)
    assert front.scope == "all"
    assert [point.cost for point in front.points] == [4.0, 8.0]


def test_a_front_of_nothing_is_empty(store, job_spec):
    job_id, _ = stored(store, job_spec(seeds=[0, 1]), [], [])
    with store.unit() as unit:
        for metric in METRICS:
            front = unit.fronts.front(job_id, metric=metric, method="random", seed=None, all_points=True)
            assert (front.points, front.hypervolume, front.hypervolumes) == ([], 0.0, {})
        assert unit.fronts.best(job_id, metric="s_ace", maximum=1e9) is None


def test_points_of_an_earlier_version_are_on_no_front_by_a_metric_that_it_lacked(store, job_id):
    with store.unit() as unit:
        for seed in (None, 0):
            for everything in (False, True):
                front = unit.fronts.front(
                    job_id, metric="cycles", method=None, seed=seed, all_points=everything
                )
                assert (front.points, front.hypervolume, front.reference_cost) == ([], 0.0, 0.0)
        assert unit.fronts.best(job_id, metric="energy_uj", maximum=1e9) is None


def test_a_front_by_the_table_is_kept_where_the_job_has_one(store, job_spec, job_id):
    text = "kind,steps,spike_bits,weight_bits,cost\nlinear,1,1,1,2\n"
    spec = job_spec(cost_table=text, budget={"metric": "table", "max": [6]})
    costs = {"searched": {"table": 5.0}, "all": {}}
    with store.unit() as unit:
        own = unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None)[0].id
        claim = unit.jobs.claim("test", 60)
        unit.studies.prepare(claim)
        study = unit.jobs.get(own).studies[0].id
        unit.studies.plan(claim, study, [PlannedTrial(round=0, number=0, proposal={}, fingerprint="own")])
        trial = unit.studies.trials(study)[0].id
        unit.results.start(claim, trial)
        outcome = MADE[0].outcome()
        point = replace(outcome.points[0], costs=costs)
        unit.results.succeed(claim, trial, replace(outcome, points=(point,)))
        front = unit.fronts.front(own, metric="table", method=None, seed=None, all_points=False)
        assert [point.cost for point in front.points] == [5.0]
        with pytest.raises(UnknownNameError, match="table"):
            unit.fronts.front(job_id, metric="table", method=None, seed=None, all_points=False)


def test_a_metric_without_fronts_is_refused(store, job_id):
    with store.unit() as unit:
        with pytest.raises(UnknownNameError, match="watts"):
            unit.fronts.front(job_id, metric="watts", method=None, seed=None, all_points=False)
        with pytest.raises(UnknownNameError, match="nothing"):
            unit.fronts.best(job_id, metric="nothing", maximum=1)
