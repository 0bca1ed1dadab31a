"""Parameters to allocations and back, and the constructive route under a budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape, Limit, limit_cost, within
from models.errors import InfeasibleError
from models.repair import least_allocation
from search.space import constrain_sample, parameter_bounds, to_allocation, to_parameters
from search.strategy import StudyContext

FIXED = LayerBits.uniform(steps=1, spike_bits=8, weight_bits=8)
LAYERS = (
    LayerShape(name="stem", kind="conv", macs=900, weights=144, inputs=64, biases=16, fixed=FIXED),
    LayerShape(name="block.conv", kind="conv", macs=15_000, weights=2_304, inputs=512, biases=16),
    LayerShape(name="head", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)
CONTEXT = StudyContext(
    layers=LAYERS,
    bounds=Bounds(weight=(2, 8), spike=(1, 6), steps=(1, 4)),
    budgets=(Limit(metric="bit_budget", maximum=2.0), Limit(metric="bit_budget", maximum=9.0)),
    constraints=(Limit(metric="weight_kib", maximum=2.0, scope="all"),),
    seed=0,
    trials=8,
)
samples = st.fixed_dictionaries(
    {name: st.integers(*ends) for name, ends in parameter_bounds(CONTEXT).items()}
)


def test_the_parameters_are_three_per_searched_layer_in_network_order() -> None:
    assert list(parameter_bounds(CONTEXT).items()) == [
        ("block.conv.steps", (1, 4)),
        ("block.conv.spike_bits", (1, 6)),
        ("block.conv.weight_bits", (2, 8)),
        ("head.steps", (1, 4)),
        ("head.spike_bits", (1, 6)),
        ("head.weight_bits", (2, 8)),
    ]


@given(samples)
def test_parameters_and_their_allocation_are_one_to_one(values: dict[str, int]) -> None:
    allocation = to_allocation(values, CONTEXT)
    assert to_parameters(allocation) == values
    assert list(allocation.layers) == ["block.conv", "head"]


def test_uneven_spike_bits_become_their_rounded_mean() -> None:
    uneven = LayerBits(steps=4, spike_bits=(3, 3, 2, 2), weight_bits=5)
    found = to_parameters(Allocation(layers={"a": uneven}))
    assert found == {"a.steps": 4, "a.spike_bits": 3, "a.weight_bits": 5}


@given(samples, st.sampled_from(CONTEXT.budgets))
def test_a_constrained_sample_keeps_its_limits_and_the_bounds(values: dict[str, int], budget: Limit) -> None:
    allocation = constrain_sample(values, CONTEXT, budget)
    assert within((budget, *CONTEXT.constraints), LAYERS, allocation)
    bounds = parameter_bounds(CONTEXT)
    assert all(
        bounds[name][0] <= value <= bounds[name][1] for name, value in to_parameters(allocation).items()
    )


def test_a_budget_below_the_least_cost_is_named_as_infeasible() -> None:
    least = limit_cost(CONTEXT.budgets[0], LAYERS, least_allocation(LAYERS, CONTEXT.bounds))
    values = to_parameters(least_allocation(LAYERS, CONTEXT.bounds))
    with pytest.raises(InfeasibleError, match="bit_budget"):
        constrain_sample(values, CONTEXT, Limit(metric="bit_budget", maximum=least * 0.99))
