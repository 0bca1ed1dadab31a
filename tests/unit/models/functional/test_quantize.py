"""The quantizers against the formulas of design section 2, written here element by element in float64."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import quantize_spikes, quantize_weights

LN2 = math.log(2.0)
values_of = st.lists(
    st.one_of(st.floats(-12, 12, allow_subnormal=False), st.integers(-40, 40).map(lambda number: number / 8)),
    min_size=1,
    max_size=40,
)
step_size_of = st.sampled_from([0.11, 0.25, 0.5, 1.0])
bits_of = st.floats(0.2, 6.4)


def round_away(v):
    return math.copysign(math.floor(abs(v) + 0.5), v)


def signed_reference(u, a, B):
    """(level, whether inside, sign outside, Q) of one element of the signed form."""
    Q = 2 ** (B - 1) - 1 if B > 1 else 1
    v = u / a
    level = (1 if u > 0 else -1) if B == 1 else min(max(round_away(v), -Q), Q)
    return level, abs(v) <= Q, math.copysign(1, v), Q


def unsigned_reference(u, V, B):
    """The same of the unsigned form."""
    Q = 2**B - 1
    v = u / V
    level = (1 if v > 0.5 else 0) if B == 1 else min(max(round_away(v), 0), Q)
    return level, 0 <= v <= Q, 1 if v > Q else 0, Q


def reference(values, grads, a, bits, signed):
    """Output, input gradient, step-size gradient and bit-width gradient."""
    B = max(1, math.floor(bits + 0.5))
    out, du, da, dB = [], [], 0.0, 0.0
    for u, g in zip(values, grads, strict=True):
        level, inside, side, Q = (signed_reference if signed else unsigned_reference)(u, a, B)
        out.append(a * level)
        du.append(g if inside else 0.0)
        da += g * (level - u / a if inside else side * Q)
        dB += 0.0 if inside else g * side * LN2 * a * (Q if B == 1 else Q + 1)
    return out, du, da / math.sqrt(len(values) * Q), dB


def double(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def assert_equal(actual, expected):
    torch.testing.assert_close(
        actual.detach().flatten(), double(expected).detach().flatten(), rtol=1e-9, atol=1e-9
    )


@given(values=values_of, a=step_size_of, bits=bits_of, signed=st.booleans(), data=st.data())
def test_outputs_and_gradients_follow_the_formulas(values, a, bits, signed, data):
    grads = data.draw(st.lists(st.floats(-3, 3), min_size=len(values), max_size=len(values)))
    x, step_size, width = double(values), double([a]), double(bits)
    output = quantize_weights(x, step_size, width) if signed else quantize_spikes(x, step_size, width)
    output.backward(torch.tensor(grads, dtype=torch.float64))
    y, du, da, dB = reference(values, grads, a, bits, signed)
    for actual, expected in ((output, y), (x.grad, du), (step_size.grad, da), (width.grad, dB)):
        assert_equal(actual, expected)


def test_signed_spikes_are_quantized_like_weights():
    x, arguments = torch.randn(50), (torch.tensor(0.2), torch.tensor(3.0))
    assert torch.equal(quantize_spikes(x, *arguments, signed=True), quantize_weights(x, *arguments))


def test_halves_round_away_from_zero():
    x, three = torch.tensor([-2.5, -0.5, 0.5, 1.5, 2.5]), torch.tensor(3.0)
    assert quantize_weights(x, torch.tensor(1.0), three).tolist() == [-3.0, -1.0, 1.0, 2.0, 3.0]
    assert quantize_spikes(x, torch.tensor(1.0), three).tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]


def test_binary_ones_decide_at_zero_and_at_one_half():
    x, one = torch.tensor([-1.0, 0.0, 0.25, 0.5, 2.0]), torch.tensor(1.0)
    assert quantize_weights(x, torch.tensor(0.5), one).tolist() == [-0.5, -0.5, 0.5, 0.5, 0.5]
    assert quantize_spikes(x, torch.tensor(0.5), one).tolist() == [0.0, 0.0, 0.0, 0.5, 0.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_the_ends_of_the_range_are_inside_and_their_neighbours_outside(dtype, bits):
    Q, q = 2**bits - 1, 2 ** (bits - 1) - 1 if bits > 1 else 1
    outward = torch.tensor([-math.inf, math.inf], dtype=dtype)
    below_zero = -torch.finfo(dtype).tiny
    for ends, quantize in (([0, Q], quantize_spikes), ([-q, q], quantize_weights)):
        inner = torch.tensor(ends, dtype=dtype)
        x = torch.cat([inner, torch.nextafter(inner, outward)])
        x[2] = below_zero if ends[0] == 0 else x[2]
        x.requires_grad_()
        quantize(x, torch.tensor(1.0), torch.tensor(float(bits))).sum().backward()
        assert x.grad.tolist() == [1, 1, 0, 0]


@given(values=values_of, exponent=st.integers(-4, 1), bits=st.integers(1, 6), signed=st.booleans())
def test_quantizing_twice_is_quantizing_once(values, exponent, bits, signed):
    arguments = torch.tensor(2.0**exponent), torch.tensor(float(bits))
    once = quantize_spikes(torch.tensor(values), *arguments, signed=signed)
    assert torch.equal(quantize_spikes(once, *arguments, signed=signed), once)


@pytest.mark.parametrize("bits", range(1, 8))
def test_a_wide_input_takes_every_level(bits):
    x, arguments = torch.linspace(-300, 300, 60_001), (torch.tensor(1.0), torch.tensor(float(bits)))
    assert len(quantize_spikes(x, *arguments).unique()) == 2**bits
    assert len(quantize_weights(x, *arguments).unique()) == (2 if bits == 1 else 2**bits - 1)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (), (3, 5, 7)])
@pytest.mark.parametrize("signed", [True, False])
def test_every_size_has_finite_gradients_of_its_arguments_shapes(shape, signed):
    x = torch.randn(shape, requires_grad=True)
    step_size, bits = torch.tensor([0.1], requires_grad=True), torch.tensor(2.0, requires_grad=True)
    output = quantize_spikes(x, step_size, bits, signed=signed)
    output.sum().backward()
    assert output.shape == x.grad.shape == shape
    assert step_size.grad.shape == (1,)
    assert bits.grad.shape == ()
    assert torch.isfinite(step_size.grad).all()
    assert torch.isfinite(bits.grad).all()


@pytest.mark.parametrize("signed", [True, False])
def test_channels_last_stays_channels_last(signed):
    x = torch.randn(2, 5, 4, 3).to(memory_format=torch.channels_last).requires_grad_()
    output = quantize_spikes(x, torch.tensor(0.1), torch.tensor(2.0), signed=signed)
    output.backward(torch.ones_like(x))
    assert output.is_contiguous(memory_format=torch.channels_last)
    assert x.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("signed", [True, False])
def test_bfloat16_is_quantized_as_precisely_as_float32(signed):
    x = torch.arange(-256, 257, dtype=torch.bfloat16)
    x.requires_grad_()
    arguments = torch.tensor(1.0), torch.tensor(9.0)
    output = quantize_spikes(x, *arguments, signed=signed)
    assert output.dtype == torch.bfloat16
    assert torch.equal(output.float(), quantize_spikes(x.detach().float(), *arguments, signed=signed))
    output.sum().backward()
    assert x.grad.dtype == torch.bfloat16
