"""Reference rates foresee what is measured: exactly where they are right, from above where they are 1."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import CostBasis, LayerLoad, LayerShape, Limit, ReferenceRates, costs, limit_cost, within
from models.errors import InvalidInputError
from models.repair import fit, greatest_allocation, least_allocation
from models.wish import LayerWish

A = LayerShape(name="a", kind="conv", macs=2000, weights=300, inputs=400, biases=8)
B = LayerShape(name="b", kind="linear", macs=50, weights=50, inputs=100, biases=10)
LAYERS = (A, B)
BOUNDS = Bounds(weight=(1, 6), spike=(1, 4), steps=(1, 3))
METRICS = ("ns_ace", "sops")


@st.composite
def allocations(draw):
    layers = {}
    for name in ("a", "b"):
        widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
        weight_bits = draw(st.integers(1, 6))
        layers[name] = LayerBits(steps=len(widths), spike_bits=tuple(widths), weight_bits=weight_bits)
    return Allocation(layers=layers)


def foreseen(metric, allocation, **rates):
    basis = CostBasis(rates=ReferenceRates(layers=tuple(rates.items())))
    return limit_cost(Limit(metric=metric, maximum=1, basis=basis), LAYERS, allocation)


@given(allocation=allocations(), data=st.data())
def test_without_reference_rates_no_measured_cost_is_above_the_foreseen_one(allocation, data):
    rates = {
        name: data.draw(st.lists(st.floats(0, 1), min_size=bits.steps, max_size=bits.steps))
        for name, bits in allocation
    }
    measured = costs(LAYERS, allocation, "searched", rates)
    for metric in METRICS:
        assert measured[metric] <= foreseen(metric, allocation) * (1 + 1e-12)


@given(allocation=allocations(), a=st.floats(0.01, 1), b=st.floats(0.01, 1))
def test_reference_rates_that_come_true_foresee_exactly(allocation, a, b):
    rates = {"a": [a] * allocation["a"].steps, "b": [b] * allocation["b"].steps}
    measured = costs(LAYERS, allocation, "searched", rates)
    for metric in METRICS:
        assert foreseen(metric, allocation, a=a, b=b) == pytest.approx(measured[metric])


@pytest.mark.parametrize("metric", METRICS)
@given(bits=st.tuples(st.floats(1, 3), st.floats(1, 4), st.floats(1, 6)))
def test_tensors_cost_what_numbers_cost_with_the_gradients_of_finite_differences(metric, bits):
    limit = Limit(metric=metric, maximum=1, basis=CostBasis(rates=ReferenceRates(layers=(("a", 0.25),))))

    def cost(steps, spike, weight):
        return limit.cost([LayerLoad(shape=A, steps=steps, mean_spike_bits=spike, weight_bits=weight)])

    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in bits]
    found = cost(*leaves)
    found.backward()
    assert found.item() == pytest.approx(cost(*bits))
    for place, leaf in enumerate(leaves):
        less, more = (cost(*bits[:place], bits[place] + by, *bits[place + 1 :]) for by in (-1e-5, 1e-5))
        grad = 0.0 if leaf.grad is None else leaf.grad.item()
        assert grad == pytest.approx((more - less) / 2e-5, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@given(steps=st.floats(1, 3), bits=st.floats(1, 4), share=st.floats(0, 1))
def test_a_fit_keeps_a_limit_at_reference_rates(metric, steps, bits, share):
    probe = Limit(metric=metric, maximum=1, basis=CostBasis(rates=ReferenceRates(layers=(("a", 0.25),))))
    low, high = (
        limit_cost(probe, LAYERS, end(LAYERS, BOUNDS)) for end in (least_allocation, greatest_allocation)
    )
    limit = replace(probe, maximum=max(low, low + share * (high - low)))
    wish = dict.fromkeys(("a", "b"), LayerWish(steps=steps, spike_bits=(bits,) * 3, weight_bits=bits))
    assert within([limit], LAYERS, fit(wish, LAYERS, BOUNDS, [limit]))


@pytest.mark.parametrize("rate", [0.0, -0.5, 1.01, math.nan])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(InvalidInputError, match="the reference rate of a is"):
        ReferenceRates(layers=(("a", rate),))
