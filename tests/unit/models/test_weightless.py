"""Layers without weights in costs, repair and sampling: their weight bits mean nothing anywhere."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import STATIC_METRICS, WEIGHTLESS_BITS, LayerShape, Limit, costs, limit_cost, within
from models.repair import fit, greatest_allocation, least_allocation, shrink
from models.wish import LayerWish
from search.space import constrain_sample, parameter_bounds, to_allocation, uniform_allocation
from search.strategy import StudyContext

CONV = LayerShape(name="conv", kind="conv", macs=5000, weights=500, inputs=128, biases=8)
QUERY = LayerShape(
    name="a.query", kind="attention", macs=2048, weights=0, inputs=128, biases=0, partner="a.key"
)
KEY = LayerShape(name="a.key", kind="attention", macs=0, weights=0, inputs=128, biases=0)
VALUE = LayerShape(
    name="a.value", kind="attention", macs=2048, weights=0, inputs=128, biases=0, partner="a.query"
)
TABLE = (CONV, QUERY, KEY, VALUE)
BITS = {
    "conv": LayerBits(steps=2, spike_bits=(3, 1), weight_bits=4),
    "a.query": LayerBits(steps=2, spike_bits=(3, 5), weight_bits=1),
    "a.key": LayerBits(steps=1, spike_bits=(2,), weight_bits=1),
    "a.value": LayerBits(steps=3, spike_bits=(1, 1, 4), weight_bits=1),
}
RATES = {"conv": [0.5, 0.5], "a.query": [0.25, 0.75], "a.key": [0.9], "a.value": [0.1, 0.2, 0.3]}
BOUNDS = Bounds(weight=(2, 6), spike=(1, 4), steps=(1, 3))
CONTEXT = StudyContext(
    layers=TABLE,
    bounds=BOUNDS,
    budgets=(Limit(metric="bit_budget", maximum=8.0),),
    constraints=(),
    seed=0,
    trials=4,
)


def test_attention_costs_are_those_counted_by_hand():
    found = costs(TABLE, Allocation(layers=BITS), "searched", RATES)
    spikes, steps = (2 + 4 + 2 + 2) / 4, (2 + 2 + 1 + 3) / 4  # every row has 128 inputs
    assert found == pytest.approx(
        {
            "bit_budget": 4 * spikes * steps,
            "s_ace": 5000 * (3 + 1) * 4 + 2048 * (3 + 5) * 2 + 2048 * (1 + 1 + 4) * 4,
            "ns_ace": 5000 * 16 * 0.5 + 2048 * 16 * 0.5 + 2048 * 24 * 0.2,
            "weight_kib": (500 * 4 + 32 * (1 + 2 + 8) + 32 * (2 + 1 + 3)) / 8192,
            "spike_kib": 128 * (3 + 5) / 8192,
            "sops": 5000 * 1.0 + 2048 * 1.0 + 2048 * 0.6,
            "cycles": 20 * 4 * 4 + 8 * 8 * 2 + 128 * 2 / 128 + 8 * 6 * 4,  # the key only moves spikes
            "energy_uj": (
                0.0047 * (5000 * 16 + 2048 * 16 + 2048 * 24)
                + 0.1 * 2 * 128 * (2 + 2 + 1 + 3)
                + 0.31 * 2 * 128 * (4 + 8 + 2 + 6)
                + 20.3 * 500 * 4
            )
            / 1e6,
        }
    )


@st.composite
def layer_bits(draw):
    steps = draw(st.integers(1, 3))
    widths = draw(st.lists(st.integers(1, 5), min_size=steps, max_size=steps))
    return LayerBits(steps=steps, spike_bits=tuple(widths), weight_bits=draw(st.integers(1, 5)))


allocations = st.fixed_dictionaries(dict.fromkeys(BITS, layer_bits()))


@given(layers=allocations, name=st.sampled_from(list(BITS)), step=st.integers(0, 2))
def test_no_cost_falls_when_a_spike_bit_is_added(layers, name, step):
    bits = layers[name]
    wider = tuple(width + (t == step % bits.steps) for t, width in enumerate(bits.spike_bits))
    before = costs(TABLE, Allocation(layers=layers))
    after = costs(TABLE, Allocation(layers={**layers, name: replace(bits, spike_bits=wider)}))
    assert all(after[metric] >= before[metric] for metric in STATIC_METRICS)
    assert after["bit_budget"] > before["bit_budget"]
    assert after["s_ace"] > before["s_ace"]


@given(layers=allocations, weight_bits=st.integers(1, 16))
def test_their_weight_bits_change_no_cost(layers, weight_bits):
    others = {
        name: bits if name == "conv" else replace(bits, weight_bits=weight_bits)
        for name, bits in layers.items()
    }
    assert costs(TABLE, Allocation(layers=layers)) == costs(TABLE, Allocation(layers=others))


def held(allocation):
    return all(bits.weight_bits == WEIGHTLESS_BITS for name, bits in allocation if name != "conv")


wishes = st.fixed_dictionaries(
    {
        name: st.builds(
            LayerWish,
            steps=st.floats(1, 3),
            spike_bits=st.tuples(*[st.floats(1, 4)] * 3),
            weight_bits=st.floats(1, 6),
        )
        for name in BITS
    }
)


@given(wish=wishes, share=st.floats(0, 1), metric=st.sampled_from(STATIC_METRICS))
@settings(max_examples=40)
def test_a_fit_keeps_its_limit_and_never_spends_on_them(wish, share, metric):
    low, high = (
        limit_cost(Limit(metric=metric, maximum=1), TABLE, end(TABLE, BOUNDS))
        for end in (least_allocation, greatest_allocation)
    )
    limits = [Limit(metric=metric, maximum=low + share * (high - low))]
    for found in (
        fit(wish, TABLE, BOUNDS, limits),
        fit(shrink(wish, TABLE, BOUNDS, limits), TABLE, BOUNDS, limits),
    ):
        assert within(limits, TABLE, found)
        assert held(found)


def test_every_way_to_an_allocation_holds_them():
    for allocation in (
        least_allocation(TABLE, BOUNDS),
        greatest_allocation(TABLE, BOUNDS),
        uniform_allocation(CONTEXT, LayerBits.uniform(steps=2, spike_bits=2, weight_bits=6)),
    ):
        assert held(allocation)
        assert allocation["conv"].weight_bits >= BOUNDS.weight[0]


def test_no_parameter_is_sampled_for_them():
    bounds = parameter_bounds(CONTEXT)
    assert [name for name in bounds if name.endswith("weight_bits")] == ["conv.weight_bits"]
    assert len(bounds) == 2 * 4 + 1


@given(values=st.fixed_dictionaries({n: st.integers(*ends) for n, ends in parameter_bounds(CONTEXT).items()}))
@settings(max_examples=30)
def test_a_sample_becomes_an_allocation_that_holds_them(values):
    assert held(to_allocation(values, CONTEXT))
    assert held(constrain_sample(values, CONTEXT, CONTEXT.budgets[0]))
