"""Layers on frames that differ, and layers without weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from models.allocation import Bounds, LayerBits
from models.cost import WEIGHTLESS_BITS, LayerShape
from models.functional import quantize_spikes, regroup
from models.layers import AdaptiveLayer, LayerOptions, SpikingNeuron, WeightlessLayer

FRAMES = torch.randn(4, 2, 3, 6, 5, generator=torch.Generator().manual_seed(0))
BOUNDS = Bounds(weight=(2, 8), spike=(1, 6), steps=(1, 8))
TEMPORAL = LayerOptions(bounds=BOUNDS, temporal=True)


def neuron_of(steps):
    neuron = SpikingNeuron(
        initial_bits=3, initial_steps=steps, bit_bounds=(1, 8), step_bounds=(1, 8), temporal=True
    )
    neuron(FRAMES)
    return neuron


def walked(frames, neuron):
    """The equations of the time-varying input, one step at a time."""
    seen = regroup(frames, *neuron.steps.whole())
    potential, spikes = seen[0], []
    for step, _ in enumerate(seen):
        spikes.append(quantize_spikes(potential, neuron.step_sizes[step], neuron.bits.real[step]))
        if step + 1 < len(seen):
            potential = neuron.leak * (potential - spikes[-1]) + seen[step + 1]
    return torch.stack(spikes)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
def test_a_temporal_neuron_fires_once_for_each_of_its_frames(steps):
    neuron = neuron_of(steps)
    spikes = neuron(FRAMES)
    assert spikes.shape == (steps, *FRAMES.shape[1:])
    torch.testing.assert_close(spikes, walked(FRAMES, neuron))


@pytest.mark.parametrize("steps", [2, 4, 7])
def test_the_rates_of_a_temporal_neuron_are_those_of_its_spikes(steps):
    neuron = neuron_of(steps)
    expected = [float((frame != 0).float().mean()) for frame in neuron(FRAMES)]
    assert neuron.rates(FRAMES) == pytest.approx(expected)


def test_a_temporal_convolution_sees_every_frame():
    conv = nn.Conv2d(3, 4, 3, stride=2, padding=1, dilation=2, bias=True)
    layer = AdaptiveLayer(conv, options=TEMPORAL)
    output = layer(FRAMES)
    weight = layer.quantizer(conv.weight)
    expected = [functional.conv2d(frame, weight, conv.bias, 2, 1, 2) for frame in layer.neuron(FRAMES)]
    torch.testing.assert_close(output, torch.stack(expected))


def test_a_weightless_layer_has_steps_and_spike_bits_alone():
    layer = WeightlessLayer(options=LayerOptions(bounds=BOUNDS), kind="attention", partner="other")
    frozen = LayerBits(steps=2, spike_bits=(3, 5), weight_bits=WEIGHTLESS_BITS)
    layer(FRAMES)
    layer.freeze(frozen)
    assert layer.bits() == frozen
    assert layer.wish().weight_bits == WEIGHTLESS_BITS
    assert torch.equal(layer(FRAMES), layer.neuron(FRAMES))
    assert {id(p) for p in layer.parameters()} == {
        *map(id, layer.bit_parameters()),
        *map(id, layer.step_size_parameters()),
    }


def test_freezing_ignores_weight_bits_that_mean_nothing():
    layer = WeightlessLayer(options=LayerOptions(bounds=BOUNDS), kind="spikes")
    layer.freeze(LayerBits.uniform(steps=1, spike_bits=2, weight_bits=7))
    assert layer.bits() == LayerBits.uniform(steps=1, spike_bits=2, weight_bits=WEIGHTLESS_BITS)


def test_the_load_of_a_weightless_layer_carries_gradients_to_its_spikes():
    layer = WeightlessLayer(options=LayerOptions(bounds=BOUNDS), kind="spikes")
    load = layer.load(LayerShape(name="a", kind="spikes", macs=0, weights=0, inputs=8, biases=0))
    (load.steps * load.mean_spike_bits).backward()
    assert layer.neuron.steps.real.grad.tolist() == [4.0]
    assert layer.neuron.bits.real.grad.sum().item() == pytest.approx(2.0)
