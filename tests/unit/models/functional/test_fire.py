"""The refined neuron against the formulas of design section 2, written here element by element in float64."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import fire, quantize_spikes

LN2 = math.log(2.0)
MOST_STEPS = 4


def double(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def reference(currents, grads, step_sizes, widths, *, T, leak):
    """Output, dx, dV per step, dB per step and dT of an unsigned neuron."""
    out, dx, dT = [], [], 0.0
    dV, dB = [0.0] * MOST_STEPS, [0.0] * MOST_STEPS
    for x, g in zip(currents, grads, strict=True):
        u, total, passed = x, 0.0, 0.0
        for t in range(T):
            V, B = step_sizes[t], widths[t]
            Q, v = 2**B - 1, u / V
            level = (1 if v > 0.5 else 0) if B == 1 else min(max(math.floor(v + 0.5), 0), Q)
            inside = 0 <= v <= Q
            passed += g / T if inside else 0.0
            dV[t] += g / T * (level - v if inside else (Q if v > Q else 0)) / math.sqrt(len(currents) * Q)
            dB[t] += g / T * LN2 * V * (Q if B == 1 else Q + 1) if v > Q else 0.0
            total += V * level
            u = leak * (u - V * level) + x
        out.append(total / T)
        dx.append(passed)
        dT += g * -(total / T) / T
    return out, dx, dV, dB, dT


# Currents and step sizes on different grids, so that no quotient lies within rounding error of a half.
currents_of = st.lists(st.integers(-3000, 9000).map(lambda n: n / 1000 + 0.00037), min_size=1, max_size=20)


@given(
    currents=currents_of,
    step_sizes=st.lists(st.sampled_from([0.13, 0.29, 0.41, 0.77]), min_size=MOST_STEPS, max_size=MOST_STEPS),
    widths=st.lists(st.integers(1, 4), min_size=MOST_STEPS, max_size=MOST_STEPS),
    T=st.integers(1, MOST_STEPS),
    leak=st.sampled_from([1.0, 0.5]),
    data=st.data(),
)
def test_outputs_and_gradients_follow_the_formulas(*, currents, step_sizes, widths, T, leak, data):
    grads = data.draw(st.lists(st.floats(-3, 3), min_size=len(currents), max_size=len(currents)))
    x, V, B, steps = (
        double(currents),
        double(step_sizes),
        double([float(w) for w in widths]),
        double([float(T)]),
    )
    output = fire(x, V, B, steps, leak)
    output.backward(torch.tensor(grads, dtype=torch.float64))
    expected = reference(currents, grads, step_sizes, widths, T=T, leak=leak)
    for actual, wanted in zip((output, x.grad, V.grad, B.grad, steps.grad), expected, strict=True):
        torch.testing.assert_close(
            actual.detach().flatten(),
            torch.tensor(wanted, dtype=torch.float64).flatten(),
            rtol=1e-8,
            atol=1e-8,
        )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("T", [1, 2, MOST_STEPS])
@pytest.mark.parametrize("shifted", [False, True])
def test_the_difference_is_what_one_more_step_changes(dtype, T, shifted):
    """Beyond the last entry, a step more is like the last one."""
    random = torch.Generator().manual_seed(T)
    x, grad = (torch.randn(3, 5, generator=random).to(dtype) for _ in range(2))
    step_sizes, bits = torch.tensor([0.3, 0.5, 0.2, 0.4]), torch.tensor([2.0, 1.0, 3.0, 2.0])
    shifts = torch.tensor([0.1, -0.2, 0.0, 0.3]) if shifted else None

    def longer(values):
        return None if values is None else torch.cat([values, values[-1:]])

    def outputs(steps):
        return fire(x, longer(step_sizes), longer(bits), torch.tensor([steps]), 0.9, shifts=longer(shifts))

    gradients = {}
    for form in ("divisor", "difference"):
        steps = torch.tensor([float(T)], requires_grad=True)
        leaf = x.clone().requires_grad_()
        found = fire(leaf, step_sizes, bits, steps, 0.9, shifts=shifts, steps_gradient=form)
        assert torch.equal(found, outputs(float(T)))
        found.backward(grad)
        gradients[form] = (steps.grad, leaf.grad)
    wanted = (grad.double() * (outputs(T + 1.0).double() - outputs(float(T)).double())).sum()
    close = {"rtol": 0.03, "atol": 0.03} if dtype == torch.bfloat16 else {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(gradients["difference"][0].double(), wanted.reshape(1), **close)
    assert torch.equal(gradients["difference"][1], gradients["divisor"][1])
    assert not torch.allclose(gradients["difference"][0], gradients["divisor"][0])


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [1.0, 2.6, 4.0])
def test_one_step_is_one_quantization(signed, bits):
    x, grad = torch.randn(64), torch.randn(64)
    found = []
    for function in (fire, quantize_spikes):
        leaves = [
            x.clone().requires_grad_(),
            torch.tensor([0.3], requires_grad=True),
            torch.tensor([bits], requires_grad=True),
        ]
        steps = (torch.tensor(1.0),) if function is fire else ()
        output = function(*leaves, *steps, signed=signed)
        output.backward(grad)
        found.append([output.detach(), *(leaf.grad for leaf in leaves)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("steps", "taken"), [(-1.0, 1), (0.4, 1), (1.49, 1), (1.5, 2), (2.5, 3), (9.0, 3)])
def test_steps_are_rounded_and_clipped_and_entries_beyond_get_no_gradient(steps, taken):
    x = torch.rand(20, requires_grad=True)
    V, B = torch.full((3,), 0.1, requires_grad=True), torch.full((3,), 2.0, requires_grad=True)
    output = fire(x, V, B, torch.tensor(steps))
    output.sum().backward()
    assert torch.equal(output, fire(x, V, B, torch.tensor(float(taken))))
    assert (V.grad[taken:] == 0).all()
    assert (B.grad[taken:] == 0).all()
    assert (V.grad[:taken] != 0).all()


def test_a_leak_of_zero_forgets_what_was_left():
    x, V, B = torch.tensor([0.3]), torch.tensor([1.0, 0.5]), torch.tensor([2.0, 2.0])
    forgetful = fire(x, V, B, torch.tensor(2.0), leak=0.0)
    assert forgetful.item() == pytest.approx((0 + 0.5) / 2)
    assert fire(x, V, B, torch.tensor(2.0)).item() == pytest.approx((0 + 0.5) / 2)
    assert fire(x, V, B / 2, torch.tensor(2.0), leak=1.0).item() == pytest.approx((0 + 0.5) / 2)


def test_what_one_step_cannot_say_the_next_one_says():
    """With enough steps the average comes as near to a constant current as the steps allow."""
    x = torch.linspace(0, 0.9, 91)
    V, B = torch.full((8,), 1.0), torch.ones(8)
    errors = [float((fire(x, V, B, torch.tensor(float(T))) - x).abs().max()) for T in (1, 2, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] <= 1 / 8


def test_signed_steps_keep_the_sign():
    x, V, B = torch.tensor([-0.4, 0.4]), torch.full((2,), 0.25), torch.full((2,), 3.0)
    assert fire(x, V, B, torch.tensor(2.0), signed=True).tolist() == [-0.375, 0.375]


@pytest.mark.parametrize("shape", [(0, 4), (1,), (3, 5, 7)])
def test_every_size_has_finite_gradients(shape):
    x, V = torch.randn(shape, requires_grad=True), torch.full((2,), 0.1, requires_grad=True)
    B, steps = torch.full((2,), 2.0, requires_grad=True), torch.tensor([2.0], requires_grad=True)
    output = fire(x, V, B, steps)
    output.sum().backward()
    assert output.shape == x.grad.shape == shape
    assert steps.grad.shape == (1,)
    assert all(torch.isfinite(leaf.grad).all() for leaf in (x, V, B, steps))


def test_channels_last_stays_channels_last():
    x = torch.randn(2, 5, 4, 3).to(memory_format=torch.channels_last).requires_grad_()
    output = fire(x, torch.full((3,), 0.1), torch.full((3,), 2.0), torch.tensor(3.0))
    output.backward(torch.ones_like(x))
    assert output.is_contiguous(memory_format=torch.channels_last)
    assert x.grad.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_keeps_its_type_and_float32_precision():
    x = torch.randn(200).bfloat16().requires_grad_()
    arguments = torch.full((3,), 0.2), torch.full((3,), 3.0), torch.tensor(3.0)
    output = fire(x, *arguments)
    output.sum().backward()
    assert x.grad.dtype == torch.bfloat16
    assert torch.equal(output, fire(x.detach().float(), *arguments).bfloat16())
