"""The augmented Lagrangian: its derivative, its multipliers and its tightening."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.budget import (
    RATE,
    TIGHTENED_AT,
    WEIGHT,
    BudgetState,
    initial_state,
    log_excesses,
    penalty,
    updated,
)
from models.cost import LayerLoad, LayerShape, Limit

LAYER = LayerShape(name="a", kind="conv", macs=100, weights=10, inputs=20, biases=4)
LIMIT = Limit(metric="bit_budget", maximum=4.0)


def loads_of(bits):
    return {"searched": [LayerLoad(shape=LAYER, steps=1.0, mean_spike_bits=bits, weight_bits=bits)]}


def state_with(multiplier, initial=16.0):
    return BudgetState(multipliers=(multiplier,), initial_costs=(initial,))


@given(excess=st.floats(-3, 3), multiplier=st.floats(0, 5))
def test_penalty_derivative_is_the_shifted_excess(excess, multiplier):
    h = torch.tensor(excess, dtype=torch.float64, requires_grad=True)
    penalty([h], state_with(multiplier)).backward()
    assert h.grad.item() == pytest.approx(max(0.0, multiplier + WEIGHT * excess), abs=1e-9)


@given(excess=st.floats(-3, 3), multiplier=st.floats(0, 5))
def test_multipliers_rise_when_over_and_never_fall_below_zero(excess, multiplier):
    (after,) = updated(state_with(multiplier), [torch.tensor(excess, dtype=torch.float64)]).multipliers
    assert after == pytest.approx(max(0.0, multiplier + RATE * WEIGHT * excess))


def test_initial_state_starts_from_the_costs_of_the_initial_bits():
    state = initial_state([LIMIT], loads_of(torch.tensor(4.0)))
    assert state == BudgetState(multipliers=(0.0,), initial_costs=(16.0,))


@pytest.mark.parametrize(
    ("progress", "maximum"), [(0.0, 16.0), (TIGHTENED_AT / 2, 8.0), (TIGHTENED_AT, 4.0), (1.0, 4.0)]
)
def test_maximum_tightens_geometrically_from_the_initial_cost(progress, maximum):
    (excess,) = log_excesses([LIMIT], loads_of(torch.tensor(4.0)), state_with(0.0), progress)
    assert excess.item() == pytest.approx(math.log(16.0 / maximum), abs=1e-6)


def test_a_limit_above_the_initial_cost_is_not_lowered():
    roomy = Limit(metric="bit_budget", maximum=64.0)
    (excess,) = log_excesses([roomy], loads_of(torch.tensor(4.0)), state_with(0.0), 0.0)
    assert excess.item() == pytest.approx(math.log(16.0 / 64.0), abs=1e-6)


def test_a_loss_that_wants_more_bits_settles_at_the_limit():
    bits = torch.tensor(4.0, requires_grad=True)
    state = state_with(0.0)
    for step in range(2000):
        excesses = log_excesses([LIMIT], loads_of(bits), state, step / 200)
        bits.grad = None
        (penalty(excesses, state) - 0.5 * bits).backward()
        with torch.no_grad():
            bits -= 0.02 * bits.grad
        state = updated(state, [excess.detach() for excess in excesses])
    assert float(bits.detach() ** 2) == pytest.approx(4.0, rel=0.05)
