"""Weights quantized channel by channel in one pass, against one channel after the other."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.functional import quantize_channels, quantize_weights

SHAPES = [(1, 1), (3, 5), (4, 2, 3), (3, 2, 3, 2), (2, 0)]


@st.composite
def problems(draw):
    """Weights with values on and around ties and ends, step sizes and real widths of each channel."""
    shape = draw(st.sampled_from(SHAPES))
    seed = draw(st.integers(0, 2**31))
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=generator, dtype=torch.float64) * 2
    on_ties = torch.rand(shape, generator=generator) < 0.3
    weight[on_ties] = (weight[on_ties] * 4).round() / 4
    channels = {"min_size": shape[0], "max_size": shape[0]}
    step_sizes = draw(st.lists(st.sampled_from([0.11, 0.25, 0.5, 1.0]), **channels))
    bits = draw(st.lists(st.floats(0.2, 8.4), **channels))
    grad = torch.randn(shape, generator=generator, dtype=torch.float64)
    return weight, torch.tensor(step_sizes).double(), torch.tensor(bits).double(), grad


def run(form, weight, step_sizes, bits, grad):
    """Output and the three gradients."""
    arguments = [tensor.clone().requires_grad_() for tensor in (weight, step_sizes, bits)]
    output = form(*arguments)
    output.backward(grad)
    return output.detach(), *(argument.grad for argument in arguments)


def one_after_the_other(weight, step_sizes, bits):
    channels = zip(weight.unbind(), step_sizes.unbind(), bits.unbind(), strict=True)
    return torch.stack([quantize_weights(*channel) for channel in channels])


@given(problem=problems())
@settings(max_examples=80, deadline=None)
def test_outputs_and_gradients_are_those_of_each_channel_by_itself(problem):
    found, *gradients = run(quantize_channels, *problem)
    expected, *their_gradients = run(one_after_the_other, *problem)
    assert torch.equal(found, expected)
    for ours, theirs in zip(gradients, their_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@given(problem=problems())
@settings(max_examples=30, deadline=None)
def test_the_same_in_float32_to_the_last_bit_of_the_output(problem):
    problem = [tensor.float() for tensor in problem]
    found, *gradients = run(quantize_channels, *problem)
    expected, *their_gradients = run(one_after_the_other, *problem)
    assert torch.equal(found, expected)
    for ours, theirs in zip(gradients, their_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bits", range(1, 9))
def test_ends_are_inside_and_their_neighbours_outside(bits):
    Q = max(1, 2 ** (bits - 1) - 1)
    outward = torch.tensor([-torch.inf, torch.inf])
    inner = torch.tensor([-Q, Q]).float()
    weight = torch.cat([inner, torch.nextafter(inner, outward)]).repeat(2, 1).requires_grad_()
    quantize_channels(weight, torch.ones(2), torch.full((2,), float(bits))).sum().backward()
    assert weight.grad.tolist() == [[1, 1, 0, 0]] * 2


def test_types_and_memory_formats_stay():
    weight = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last).requires_grad_()
    arguments = torch.full((4,), 0.1), torch.tensor([1.0, 2.0, 3.0, 4.0])
    output = quantize_channels(weight, *arguments)
    output.backward(torch.ones_like(weight))
    assert output.is_contiguous(memory_format=torch.channels_last)
    assert weight.grad.is_contiguous(memory_format=torch.channels_last)
    half = weight.detach().bfloat16()
    assert torch.equal(
        quantize_channels(half, *arguments), quantize_channels(half.float(), *arguments).bfloat16()
    )
