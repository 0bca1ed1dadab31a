"""Three targets: their penalty, when renewal ends, their bounds, and how they follow from a budget."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS, Bounds
from models.cost import LayerLoad, LayerShape, Limit
from models.layers import InitialBits, LayerOptions
from models.targets import (
    Targets,
    TargetsState,
    initial_state,
    is_near,
    penalty,
    target_bounds,
    targets_cost,
    targets_under,
)

FIRST = LayerShape(name="f", kind="conv", macs=9, weights=9, inputs=4, biases=1, fixed=FIRST_LAYER_BITS)
A = LayerShape(name="a", kind="conv", macs=900, weights=30, inputs=10, biases=1)
B = LayerShape(name="b", kind="linear", macs=100, weights=10, inputs=30, biases=1)
TARGETS = Targets(weight=3.0, spike=2.0, steps=1.5)


def loads(weight=(4.0, 4.0), spike=(4.0, 4.0), steps=(2.0, 2.0)):
    bits = [torch.tensor(values, requires_grad=True) for values in (weight, spike, steps)]
    found = [
        LayerLoad(shape=shape, weight_bits=bits[0][n], mean_spike_bits=bits[1][n], steps=bits[2][n])
        for n, shape in enumerate((A, B))
    ]
    return found, bits


def test_the_penalty_and_its_gradients_are_those_of_the_formula():
    found, (weight, spike, steps) = loads(weight=(5.0, 1.0), spike=(1.0, 2.0))
    value = penalty(found, TARGETS, Targets(weight=0.5, spike=2.0, steps=3.0))
    # mean Bw = (30*5 + 10*1)/40 = 4, mean Bs = (10*1 + 30*2)/40 = 1.75, mean T = 2
    assert value.item() == pytest.approx(0.5 * 1.0 + 2.0 * 0.25 + 3.0 * 0.5)
    value.backward()
    assert weight.grad.tolist() == pytest.approx([0.5 * 0.75, 0.5 * 0.25])
    assert spike.grad.tolist() == pytest.approx([-2.0 * 0.25, -2.0 * 0.75])
    assert steps.grad.tolist() == pytest.approx([3.0 * 0.25, 3.0 * 0.75])


@pytest.mark.parametrize(
    ("weight", "spike", "near"), [(3.2, 2.4, True), (3.3, 2.4, False), (3.2, 2.5, False)]
)
def test_renewal_ends_once_both_means_are_within_the_share_of_their_first_distance(weight, spike, near):
    state = initial_state(loads()[0], TARGETS)
    assert state == TargetsState(distances=(1.0, 2.0))
    now, _ = loads(weight=(weight, weight), spike=(spike, spike))
    assert is_near(now, TARGETS, state, 0.24) is near


def test_bits_learn_up_to_two_above_their_start_and_steps_to_one():
    options = LayerOptions(
        bounds=Bounds(weight=(1, 8), spike=(5, 8), steps=(1, 4)), initial=InitialBits(spike=2)
    )
    assert target_bounds(options) == Bounds(weight=(1, 6), spike=(5, 5), steps=(1, 3))
    assert target_bounds(replace(options, weight_per="channel")).weight_per == "channel"


@given(budget=st.floats(1.0, 200.0))
def test_targets_of_a_bit_budget_multiply_to_it_inside_the_bounds(budget):
    bounds = Bounds(weight=(1, 6), spike=(1, 6), steps=(1, 3))
    found = targets_under([Limit(metric="bit_budget", maximum=budget)], (FIRST, A, B), bounds)
    assert found.weight * found.spike * found.steps == pytest.approx(min(budget, 108.0))
    assert 1 <= found.weight <= 6
    assert 1 <= found.spike <= 6
    assert 1 <= found.steps <= 3


@given(share=st.floats(0.05, 0.95), metric=st.sampled_from(["s_ace", "spike_kib", "weight_kib"]))
def test_targets_of_any_metric_cost_the_budget(share, metric):
    layers, bounds = (FIRST, A, B), Bounds()
    ends = [
        targets_cost(Limit(metric=metric, maximum=1), Targets(weight=w, spike=s, steps=t), layers)
        for w, s, t in ((1, 1, 1), (8, 6, 4))
    ]
    budget = Limit(metric=metric, maximum=ends[0] + share * (ends[1] - ends[0]))
    assert targets_cost(budget, targets_under([budget], layers, bounds), layers) == pytest.approx(
        budget.maximum
    )


def test_targets_per_channel_leave_room_for_a_step_size_of_each():
    wide = LayerShape(name="w", kind="conv", macs=900, weights=3000, inputs=10, biases=40)
    budget = Limit(metric="weight_kib", maximum=1.8)
    found = targets_under([budget], (wide,), Bounds(weight_per="channel"))
    bits = 3000 * found.weight + 32 * (40 + found.steps + 40)
    assert bits / 8192 == pytest.approx(1.8)
    assert targets_cost(budget, found, (wide,), "channel") == pytest.approx(1.8)


def test_a_constraint_lowers_the_targets_too():
    budget = Limit(metric="bit_budget", maximum=16.0)
    tight = Limit(metric="s_ace", maximum=4_000.0)
    free, bound = (targets_under(limits, (A, B), Bounds()) for limits in ([budget], [budget, tight]))
    assert bound.weight < free.weight
    assert targets_cost(tight, bound, (A, B)) <= 4_000.0
