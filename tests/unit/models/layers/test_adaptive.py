"""An adaptive layer: neuron, then one operator with quantized weights; its bits, its load and its renewal."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from models.allocation import FIRST_LAYER_BITS, Bounds, LayerBits
from models.cost import LayerShape
from models.errors import InvalidInputError
from models.layers import AdaptiveLayer, LayerOptions, constrain
from models.layers.adaptive import operate

BOUNDS = Bounds(weight=(1, 8), spike=(1, 6), steps=(1, 3))
SHAPE = LayerShape(name="a", kind="conv", macs=1, weights=1, inputs=1, biases=1)
IMAGES = torch.randn(2, 4, 9, 11, generator=torch.Generator().manual_seed(0))
BITS = LayerBits(steps=2, spike_bits=(3, 5), weight_bits=2)


def conv_layer(**settings):
    torch.manual_seed(0)
    operator = nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 0), groups=2, bias=False)
    return AdaptiveLayer(operator, options=LayerOptions(bounds=BOUNDS), **settings)


def test_a_convolution_sees_spikes_and_quantized_weights():
    layer = conv_layer()
    output = layer(IMAGES)
    spikes, weight = layer.neuron(IMAGES), layer.quantizer(layer.operator.weight)
    assert torch.equal(output, functional.conv2d(spikes, weight, None, (2, 1), (1, 0), 1, 2))
    assert output.shape == (2, 8, 5, 7)


@pytest.mark.parametrize("stride", [(2, 2), (1, 3), 2])
@pytest.mark.parametrize("channels", [1, 2, 7, 8])
def test_a_strided_pointwise_convolution_is_one_whatever_way_it_is_computed(channels, stride):
    operator = nn.Conv2d(channels, 4, 1, stride=stride)
    x = torch.randn(3, channels, 9, 11, generator=torch.Generator().manual_seed(1), requires_grad=True)
    ours = operate(operator, x, operator.weight)
    theirs = functional.conv2d(x, operator.weight, operator.bias, stride)
    torch.testing.assert_close(ours, theirs)
    inputs = (x, operator.weight, operator.bias)
    for mine, expected in zip(
        torch.autograd.grad(ours.square().sum(), inputs),
        torch.autograd.grad(theirs.square().sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize(("channels", "seen"), [(2, 1), (7, 1), (8, (2, 2))])
def test_torch_never_sees_a_stride_that_it_cannot_be_trusted_with(monkeypatch, channels, seen):
    """Where it can be, on processors with AVX2 alone, is known by oneDNN's own memory errors."""
    strides, convolve = [], functional.conv2d

    def noted(x, weight, bias, stride, *rest):
        strides.append(stride)
        return convolve(x, weight, bias, stride, *rest)

    monkeypatch.setattr(functional, "conv2d", noted)
    operator = nn.Conv2d(channels, 4, 1, stride=2)
    operate(operator, torch.ones(1, channels, 4, 4), operator.weight)
    assert strides == [seen]


def test_a_linear_layer_keeps_its_bias():
    layer = AdaptiveLayer(nn.Linear(11, 3), options=LayerOptions(bounds=BOUNDS))
    currents = IMAGES[0, 0]
    expected = functional.linear(
        layer.neuron(currents), layer.quantizer(layer.operator.weight), layer.operator.bias
    )
    assert torch.equal(layer(currents), expected)


def test_it_starts_at_four_four_two_clipped_to_the_bounds():
    assert conv_layer().bits() == LayerBits.uniform(steps=2, spike_bits=4, weight_bits=4)
    narrow = AdaptiveLayer(
        nn.Linear(2, 2), options=LayerOptions(bounds=Bounds(weight=(5, 6), spike=(1, 2), steps=(1, 1)))
    )
    assert narrow.bits() == LayerBits.uniform(steps=1, spike_bits=2, weight_bits=5)


def test_frozen_bits_are_the_bits_and_the_wish():
    layer = conv_layer()
    layer.freeze(BITS)
    assert layer.bits() == BITS
    wish = layer.wish()
    assert (wish.steps, wish.spike_bits[:2], wish.weight_bits) == (2.0, (3.0, 5.0), 2.0)
    assert len(wish.spike_bits) == 3
    assert not any(parameter.requires_grad for parameter in layer.bit_parameters())


def test_bits_outside_the_bounds_are_refused():
    with pytest.raises(InvalidInputError):
        conv_layer().freeze(LayerBits.uniform(steps=2, spike_bits=3, weight_bits=9))


def test_freezing_a_trained_layer_renews_its_step_sizes():
    layer = conv_layer()
    layer(IMAGES)
    before = [parameter.detach().clone() for parameter in layer.step_size_parameters()]
    layer.freeze(BITS)
    weight, spikes = (
        (now / old).tolist() for now, old in zip(layer.step_size_parameters(), before, strict=True)
    )
    assert weight == pytest.approx([7 / 1])
    assert spikes == pytest.approx([15 / 7, 15 / 31, 1])


def test_the_load_is_that_of_the_bits_and_carries_gradients():
    layer = conv_layer()
    with torch.no_grad():
        layer.neuron.bits.real.copy_(torch.tensor([2.2, 4.9, 1.0]))
    load = layer.load(SHAPE)
    assert (load.steps.item(), load.mean_spike_bits.item(), load.weight_bits.item()) == (2.0, 3.5, 4.0)
    (load.steps * load.mean_spike_bits * load.weight_bits).backward()
    assert layer.neuron.steps.real.grad.tolist() == pytest.approx([14.0])
    assert layer.neuron.bits.real.grad.tolist() == pytest.approx([4.0, 4.0, 0.0])
    assert layer.quantizer.bits.real.grad.tolist() == pytest.approx([7.0])


def test_a_fixed_layer_has_its_bits_and_learns_none():
    layer = conv_layer(fixed=FIRST_LAYER_BITS, signed=True)
    assert layer.bits() == FIRST_LAYER_BITS
    assert not any(parameter.requires_grad for parameter in layer.bit_parameters())


def test_constrain_brings_every_parameter_inside_its_bounds():
    layer = conv_layer()
    with torch.no_grad():
        for parameter in (*layer.bit_parameters(), *layer.step_size_parameters()):
            parameter.fill_(-5.0)
    constrain(layer.bounded())
    assert all((parameter > 0).all() for parameter in layer.step_size_parameters())
    assert layer.bits() == LayerBits.uniform(steps=1, spike_bits=1, weight_bits=1)


def test_parameters_are_bits_step_sizes_or_weights():
    layer = conv_layer()
    named = {
        *map(id, layer.bit_parameters()),
        *map(id, layer.step_size_parameters()),
        id(layer.operator.weight),
    }
    assert named == {id(parameter) for parameter in layer.parameters()}


def channel_layer():
    operator = nn.Conv2d(4, 3, 3, bias=False)
    return AdaptiveLayer(operator, options=LayerOptions(bounds=BOUNDS, weight_per="channel"))


def test_a_layer_per_channel_has_bits_wishes_and_a_load_of_its_channels():
    layer = channel_layer()
    with torch.no_grad():
        layer.quantizer.bits.real.copy_(torch.tensor([2.2, 3.6, 8.0]))
    assert layer.bits() == LayerBits.uniform(steps=2, spike_bits=4, weight_bits=5).with_channels([2, 4, 8])
    assert layer.wish().weight_bits == pytest.approx((2.2, 3.6, 8.0))
    load = layer.load(SHAPE)
    assert (load.weight_bits.item(), load.weight_step_sizes) == (pytest.approx(14 / 3), 3)
    load.weight_bits.backward()
    assert layer.quantizer.bits.real.grad.tolist() == pytest.approx([1 / 3] * 3)
    layer.freeze(BITS.with_channels([1, 2, 8]))
    assert layer.bits() == BITS.with_channels([1, 2, 8])


def test_a_layer_with_fixed_bits_has_one_width_whatever_the_others_have():
    options = LayerOptions(bounds=BOUNDS, weight_per="channel")
    layer = AdaptiveLayer(nn.Linear(4, 3), options=options, fixed=FIRST_LAYER_BITS)
    assert layer.bits() == FIRST_LAYER_BITS
    assert layer.quantizer.step_size.shape == (1,)
