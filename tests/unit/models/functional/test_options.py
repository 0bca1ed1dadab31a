"""Threshold shifts, learned leaks and frames: values and gradients are those that autograd derives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import fire, fire_frames, spike_rates
from tests.unit.models.functional.straight_through import neuron

MOST_STEPS = 4
# Currents and step sizes on different grids, so that no quotient lies within rounding error of a half.
current_of = st.integers(-3000, 9000).map(lambda n: n / 1000 + 0.00037)


def double(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def gradients(function, leaves, grad, **options):
    """Output and the gradient of every leaf."""
    copies = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    *positional, shifts = copies
    output = function(*positional, shifts=shifts, **options)
    output.backward(grad)
    return [output.detach(), *(copy.grad for copy in copies)]


@given(
    seed=st.integers(0, 2**16),
    count=st.integers(1, 12),
    widths=st.lists(st.integers(1, 4), min_size=MOST_STEPS, max_size=MOST_STEPS),
    T=st.integers(1, MOST_STEPS),
    leak=st.sampled_from([1.0, 0.5, 0.0]),
    signed=st.booleans(),
    framed=st.booleans(),
    data=st.data(),
)
def test_every_gradient_is_the_one_that_autograd_derives(
    *, seed, count, widths, T, leak, signed, framed, data
):
    shape = (T, count) if framed else (count,)
    size = T * count if framed else count
    x = double(data.draw(st.lists(current_of, min_size=size, max_size=size))).reshape(shape)
    V = double(data.draw(st.lists(st.sampled_from([0.13, 0.29, 0.41, 0.77]), min_size=4, max_size=4)))
    z = double(data.draw(st.lists(st.sampled_from([-0.211, 0.0, 0.0171, 0.3033]), min_size=4, max_size=4)))
    leaves = [x, V, double([float(w) for w in widths]), double([float(T)]), double([leak]), z]
    grad = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    ours = gradients(fire_frames if framed else fire, leaves, grad, signed=signed)
    expected = gradients(neuron, leaves, grad, signed=signed, framed=framed)
    for actual, wanted in zip(ours, expected, strict=True):
        derived = torch.zeros_like(actual) if wanted is None else wanted.reshape(actual.shape)
        torch.testing.assert_close(actual, derived, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("signed", [True, False])
def test_shifts_of_zero_are_no_shifts(signed):
    x, V, B, T = torch.randn(200), torch.full((3,), 0.3), torch.full((3,), 3.0), torch.tensor(3.0)
    without = fire(x, V, B, T, signed=signed)
    assert torch.equal(fire(x, V, B, T, signed=signed, shifts=torch.zeros(3)), without)


def test_a_shift_moves_the_threshold_and_the_spike():
    x, one = torch.tensor([0.6, 0.8, 1.9]), torch.ones(1)
    shifted = fire(x, one, one, one, shifts=torch.full((1,), 0.25))
    assert shifted.tolist() == pytest.approx([0.25, 1.25, 1.25])  # fires above 0.75


def test_frames_that_do_not_vary_average_to_the_constant_current():
    x, V, B, T = torch.randn(50), torch.full((3,), 0.3), torch.full((3,), 3.0), torch.tensor(3.0)
    frames = x.expand(3, 50)
    torch.testing.assert_close(fire_frames(frames, V, B, T, 0.7).mean(0), fire(x, V, B, T, 0.7))


def test_frames_are_regrouped_to_the_steps():
    frames = torch.rand(6, 5, requires_grad=True)
    V, B = torch.full((4,), 0.01), torch.full((4,), 8.0)
    found = fire_frames(frames, V, B, torch.tensor(2.0))
    found.sum().backward()
    torch.testing.assert_close(found[0], frames[:3].mean(0), atol=0.006, rtol=0)
    torch.testing.assert_close(frames.grad, torch.full((6, 5), 1 / 3))


def test_the_rates_count_the_levels_that_are_not_zero():
    x, ones = torch.tensor([0.2, 0.4, 0.6, 0.9]), torch.ones(2)
    assert spike_rates(x, ones, ones, torch.tensor(2.0)) == [0.5, 0.5]
    frames = torch.stack([x, torch.zeros(4)])
    assert spike_rates(frames, ones, ones, torch.tensor(2.0), framed=True) == [0.5, 0.0]
