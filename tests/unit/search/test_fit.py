"""Points under several limits at once, and the change of a job that would find more of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS
from models.cost import LayerShape, within
from models.errors import InvalidInputError
from models.repair import least_allocation
from search.fit import Candidate, best, excess, nearest
from search.fit_next import advice, reaches
from search.job import JobSpec
from service.batches.patch import patched

few = st.integers(1, 5).map(float)  # few values, so that equal ones are common
candidates = st.lists(
    st.builds(lambda score, costs: (score, costs), st.integers(0, 3), st.tuples(few, few)), max_size=8
).map(
    lambda made: [
        Candidate(id=str(place), score=float(score), costs=costs) for place, (score, costs) in enumerate(made)
    ]
)
LAYERS = (
    LayerShape(
        name="stem", kind="conv", macs=9_000, weights=144, inputs=64, biases=16, fixed=FIRST_LAYER_BITS
    ),
    LayerShape(name="body", kind="conv", macs=150_000, weights=2_304, inputs=1_024, biases=16),
    LayerShape(name="classifier", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)
TABLES = {(): LAYERS}


@given(candidates, st.tuples(few, few))
def test_the_best_keeps_every_limit_and_nothing_that_does_is_better(made, maxima):
    fitting = [one for one in made if one.costs[0] <= maxima[0] and one.costs[1] <= maxima[1]]
    found = best(made, maxima)
    assert (found is not None) == bool(fitting)
    if found is not None:
        assert found in fitting
        assert found.score == max(one.score for one in fitting)


@given(candidates, st.tuples(few, few))
def test_the_nearest_has_the_least_greatest_excess(made, maxima):
    found = nearest(made, maxima)
    assert (found is not None) == bool(made)
    if found is not None:
        worst = {one.id: max(map(excess, one.costs, maxima)) for one in made}
        assert worst[found.id] == min(worst.values())
        ties = [one for one in made if worst[one.id] == worst[found.id]]
        assert sum(map(excess, found.costs, maxima)) == min(
            sum(map(excess, one.costs, maxima)) for one in ties
        )


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_an_excess_is_there_exactly_where_a_cost_is_above_its_limit(cost, maximum):
    assert (excess(cost, maximum) > 0) == (cost > maximum)


@pytest.mark.parametrize("maxima", [(), (0.0,)])
def test_no_limits_are_refused(maxima):
    for find in (best, nearest):
        with pytest.raises(InvalidInputError):
            find([], maxima)


def job(**changes) -> JobSpec:
    """A job with budgets 2 and 8."""
    fields = {
        "name": "small",
        "architecture": {"name": "conv-net"},
        "dataset": {"name": "digits"},
        "budget": {"max": [8, 2]},
    }
    return JobSpec.model_validate(fields | changes)


def advised(spec: JobSpec, **maxima: float):
    """The advice for some limits, and the job that it makes."""
    limits = [spec.limit(metric, maximum) for metric, maximum in maxima.items()]
    found = advice(spec, TABLES, limits)
    changed = None if found.patch is None else JobSpec.model_validate(patched(spec.to_json(), found.patch))
    return found, changed


def test_reachable_limits_become_budget_and_constraints():
    found, changed = advised(job(), bit_budget=4.0, weight_kib=1.0, cycles=20_000.0)
    assert found.change == "search"
    assert [limit.maximum for limit in changed.budgets()] == [2, 4]
    assert {(one.metric, one.max) for one in changed.constraints} == {
        ("weight_kib", 1.0),
        ("cycles", 20_000.0),
    }
    again, _ = advised(changed, bit_budget=4.0, weight_kib=1.0, cycles=20_000.0)
    assert (again.change, again.patch) == ("more_trials", {"compute": {"trials_per_study": 24}})


def test_a_tighter_constraint_of_the_job_stays():
    spec = job(constraints=[{"metric": "cycles", "max": 9_000}, {"metric": "spike_kib", "max": 4}])
    _, changed = advised(spec, cycles=20_000.0, weight_kib=1.0)
    assert {(one.metric, one.max) for one in changed.constraints} == {
        ("cycles", 9_000),
        ("weight_kib", 1.0),
        ("spike_kib", 4),
    }


def test_what_the_bounds_forbid_is_told_from_what_the_network_forbids():
    spec = job(bits={"weight": [4, 8]})
    least = {one.limit.metric: one for one in reaches(spec, TABLES, [spec.limit("weight_kib", 0.9)])}
    assert least["weight_kib"].achievable is False
    widened, changed = advised(spec, weight_kib=0.9)
    assert widened.change == "widen_bits"
    assert changed.bits.weight == (1, 8)
    assert within(changed.constraint_limits(), LAYERS, least_allocation(LAYERS, changed.bits.bounds()))
    included, changed = advised(spec, weight_kib=0.55)
    assert included.change == "include_first"
    assert changed.bits.search_first_layer
    nothing, changed = advised(spec, weight_kib=0.1)
    assert (nothing.change, changed) == ("smaller_network", None)


def test_limits_have_to_be_kept_by_one_architecture():
    spec = job(search_space={"width": [8, 16]})
    heavy = (
        LAYERS[0],
        LAYERS[1],
        LayerShape(name="c", kind="linear", macs=1, weights=9**5, inputs=1, biases=1),
    )
    slow = (LAYERS[0], LayerShape(name="b", kind="conv", macs=9**8, weights=9, inputs=9, biases=1))
    tables = {(("width", 8),): heavy, (("width", 16),): slow}
    limits = [spec.limit("weight_kib", 1.0), spec.limit("cycles", 20_000.0)]
    assert [one.achievable for one in reaches(spec, tables, limits)] == [True, True]
    assert advice(spec, tables, limits).change == "smaller_network"


def test_a_measured_limit_that_spikes_may_keep_is_named():
    found, changed = advised(job(), sops=100.0, weight_kib=1.0)
    assert [limit.metric for limit in found.unforeseen] == ["sops"]
    assert [one.metric for one in changed.constraints] == ["weight_kib"]
    found, changed = advised(job(), sops=100.0)
    assert (found.change, changed) == ("reference_rates", None)
