"""Costs against counts made by hand, and what must hold for every allocation."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS, Allocation, LayerBits
from models.cost import (
    COST_VERSIONS,
    STATIC_METRICS,
    LayerLoad,
    LayerShape,
    Limit,
    costs,
    default_scope,
    limit_cost,
    static_cost,
    within,
)
from models.errors import InvalidInputError, UnknownNameError

FIRST = LayerShape(
    name="first", kind="conv", macs=1000, weights=100, inputs=64, biases=4, fixed=FIRST_LAYER_BITS
)
A = LayerShape(name="a", kind="conv", macs=2000, weights=300, inputs=400, biases=8)
B = LayerShape(name="b", kind="linear", macs=50, weights=50, inputs=100, biases=10)
TABLE = (FIRST, A, B)
BITS = Allocation(
    layers={
        "a": LayerBits(steps=2, spike_bits=(3, 1), weight_bits=4),
        "b": LayerBits(steps=1, spike_bits=(5,), weight_bits=2),
    }
)
RATES = {"first": [0.9], "a": [0.5, 0.25], "b": [0.1]}

COUNTED = {
    "searched": {
        "bit_budget": (300 * 4 + 50 * 2) / 350 * (400 * 2 + 100 * 5) / 500 * (400 * 2 + 100 * 1) / 500,
        "s_ace": 2000 * (3 + 1) * 4 + 50 * 5 * 2,
        "ns_ace": 2000 * (3 + 1) * 4 * 0.375 + 50 * 5 * 2 * 0.1,
        "weight_kib": (300 * 4 + 32 * (1 + 2 + 8) + 50 * 2 + 32 * (1 + 1 + 10)) / 8192,
        "spike_kib": 400 * 4 / 8192,
        "sops": 2000 * 0.75 + 50 * 0.1,
        "cycles": 8 * 4 * 4 + 1 * 5 * 2,  # 2000 MACs are 8 tiles of 256 lanes
        "energy_uj": (
            0.0047 * (2000 * 4 * 4 + 50 * 5 * 2)
            + 0.1 * 2 * (400 * 2 + 100)
            + 0.31 * 2 * (400 * 4 + 100 * 5)
            + 20.3 * (300 * 4 + 50 * 2)
        )
        / 1e6,
    },
    "all": {
        "bit_budget": (100 * 8 + 300 * 4 + 50 * 2)
        / 450
        * (64 * 8 + 400 * 2 + 100 * 5)
        / 564
        * (64 + 800 + 100)
        / 564,
        "s_ace": 1000 * 8 * 8 + 2000 * (3 + 1) * 4 + 50 * 5 * 2,
        "ns_ace": 1000 * 8 * 8 * 0.9 + 2000 * (3 + 1) * 4 * 0.375 + 50 * 5 * 2 * 0.1,
        "weight_kib": (100 * 8 + 32 * (1 + 1 + 4) + 300 * 4 + 32 * (1 + 2 + 8) + 50 * 2 + 32 * (1 + 1 + 10))
        / 8192,
        "spike_kib": 400 * 4 / 8192,
        "sops": 1000 * 0.9 + 2000 * 0.75 + 50 * 0.1,
        "cycles": 4 * 8 * 8 + 8 * 4 * 4 + 1 * 5 * 2,
        "energy_uj": (
            0.0047 * (1000 * 8 * 8 + 2000 * 4 * 4 + 50 * 5 * 2)
            + 0.1 * 2 * (64 + 400 * 2 + 100)
            + 0.31 * 2 * (64 * 8 + 400 * 4 + 100 * 5)
            + 20.3 * (100 * 8 + 300 * 4 + 50 * 2)
        )
        / 1e6,
    },
}


@pytest.mark.parametrize("scope", ["searched", "all"])
def test_costs_are_those_counted_by_hand(scope):
    assert costs(TABLE, BITS, scope, RATES) == pytest.approx(COUNTED[scope])


def test_channels_count_by_their_mean_and_store_a_step_size_each():
    a, b = BITS["a"].with_channels([4, 4, 1, 2, 8, 2, 1, 3]), BITS["b"]
    found = costs(TABLE, Allocation(layers={"a": a, "b": b}))
    mean = 25 / 8
    assert found["s_ace"] == 2000 * (3 + 1) * mean + 50 * 5 * 2
    assert found["bit_budget"] == pytest.approx((300 * mean + 100) / 350 * 1300 / 500 * 900 / 500)
    assert found["weight_kib"] == pytest.approx(
        (300 * mean + 32 * (8 + 2 + 8) + 50 * 2 + 32 * (1 + 1 + 10)) / 8192
    )


def test_measured_costs_are_left_out_without_rates():
    assert set(costs(TABLE, BITS)) == set(STATIC_METRICS)
    assert set(costs(TABLE, BITS, rates=RATES)) == set(COST_VERSIONS) - {"table"}


def test_the_widest_spikes_may_be_those_of_the_fixed_layer():
    wide = replace(FIRST, inputs=1000)
    assert costs((wide, A, B), BITS, "all")["spike_kib"] == 1000 * 8 / 8192


def test_an_allocation_of_other_layers_is_refused():
    for layers in ({"a": BITS["a"]}, {**BITS.layers, "c": BITS["a"]}, {**BITS.layers, "first": BITS["b"]}):
        with pytest.raises(InvalidInputError, match="disagree"):
            costs(TABLE, Allocation(layers=layers))


def test_a_metric_that_cannot_bound_a_search_is_answered_with_those_that_can():
    with pytest.raises(UnknownNameError, match="bit_budget, s_ace"):
        static_cost("watts", [])


def test_memory_and_hardware_count_the_whole_network_by_default():
    whole = {metric for metric in COST_VERSIONS if default_scope(metric) == "all"}
    assert whole == {"weight_kib", "spike_kib", "cycles", "energy_uj"}


def test_a_limit_is_kept_at_its_maximum_and_broken_above_it():
    cost = limit_cost(Limit(metric="s_ace", maximum=1), TABLE, BITS)
    assert within([Limit(metric="s_ace", maximum=cost)], TABLE, BITS)
    assert not within([Limit(metric="s_ace", maximum=cost - 1)], TABLE, BITS)


@st.composite
def layer_bits(draw):
    steps = draw(st.integers(1, 4))
    spike_bits = draw(st.lists(st.integers(1, 7), min_size=steps, max_size=steps))
    return LayerBits(steps=steps, spike_bits=tuple(spike_bits), weight_bits=draw(st.integers(1, 7)))


pairs = st.tuples(layer_bits(), layer_bits())
scopes = st.sampled_from(["searched", "all"])


@given(bits=pairs, step=st.integers(0, 3), scope=scopes)
def test_no_cost_falls_when_a_bit_is_added(bits, step, scope):
    a, b = bits
    wider = tuple(width + (t == step % a.steps) for t, width in enumerate(a.spike_bits))
    before = costs(TABLE, Allocation(layers={"a": a, "b": b}), scope)
    for richer in (replace(a, weight_bits=a.weight_bits + 1), replace(a, spike_bits=wider)):
        after = costs(TABLE, Allocation(layers={"a": richer, "b": b}), scope)
        assert all(after[metric] >= before[metric] for metric in STATIC_METRICS)
        assert after["bit_budget"] > before["bit_budget"]
        assert after["s_ace"] > before["s_ace"]


@given(bits=pairs, scope=scopes)
def test_no_cost_falls_when_a_step_of_average_width_is_added(bits, scope):
    a, b = bits
    uniform = LayerBits.uniform(steps=a.steps, spike_bits=a.spike_bits[0], weight_bits=a.weight_bits)
    longer = LayerBits.uniform(steps=a.steps + 1, spike_bits=a.spike_bits[0], weight_bits=a.weight_bits)
    before, after = (
        costs(TABLE, Allocation(layers={"a": layer, "b": b}), scope) for layer in (uniform, longer)
    )
    assert all(after[metric] >= before[metric] for metric in STATIC_METRICS)
    assert after["s_ace"] > before["s_ace"]


@given(bits=pairs)
def test_tensors_cost_what_numbers_cost_and_carry_gradients(bits):
    allocation = Allocation(layers={"a": bits[0], "b": bits[1]})
    expected = costs(TABLE, allocation, "searched")
    for metric in STATIC_METRICS:
        loads, leaves = tensor_loads(allocation)
        cost = static_cost(metric, loads)
        cost.backward()
        assert cost.item() == pytest.approx(expected[metric])
        assert sum(leaf.grad.item() for leaf in leaves if leaf.grad is not None) > 0


def tensor_loads(allocation):
    """Loads of the searched layers in float64 tensors, and those tensors."""
    loads, leaves = [], []
    for shape in (A, B):
        bits = allocation[shape.name]
        numbers = (float(bits.steps), bits.mean_spike_bits, float(bits.weight_bits))
        steps, spike, weight = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers)
        loads.append(LayerLoad(shape=shape, steps=steps, mean_spike_bits=spike, weight_bits=weight))
        leaves += [steps, spike, weight]
    return loads, leaves
