"""What a network asks of any layer that has a neuron, and the layer that has nothing more.

    adaptive layer      neuron, then a convolution or matrix product with quantized weights
    weightless layer    the neuron alone: an operand of attention, or spikes that a shortcut carries

A weightless layer has steps and spike bits. Its weight bits mean nothing and are WEIGHTLESS_BITS everywhere:
never learned, never sampled, never spent.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from models.allocation import Bounds, LayerBits
from models.cost import WEIGHTLESS_BITS, LayerKind, LayerLoad, LayerShape
from models.functional import Renewal
from models.layers.bounded import Bounded
from models.layers.neuron import SpikingNeuron
from models.layers.options import LayerOptions
from models.wish import LayerWish


class SpikingLayer(nn.Module):
    """A neuron with its bits; subclasses set the three fields below and may add weights."""

    neuron: SpikingNeuron
    options: LayerOptions
    fixed: LayerBits | None
    """The bits of a layer that is not searched."""

    def bits(self) -> LayerBits:
        """The whole bits that the layer computes with now."""
        (steps,) = self.neuron.steps.whole()
        spike_bits = tuple(self.neuron.bits.whole()[:steps])
        return LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=WEIGHTLESS_BITS)

    def wish(self) -> LayerWish:
        """The real-valued bits that learning has reached."""
        return LayerWish(
            steps=self.neuron.steps.wished()[0],
            spike_bits=tuple(self.neuron.bits.wished()),
            weight_bits=WEIGHTLESS_BITS,
        )

    def load(self, shape: LayerShape) -> LayerLoad:
        """The layer's load with tensors that carry gradients to its bits and steps."""
        (steps,) = self.neuron.steps.whole()
        return LayerLoad(
            shape=shape,
            steps=self.neuron.steps()[0],
            mean_spike_bits=self.neuron.bits()[:steps].mean(),
            weight_bits=WEIGHTLESS_BITS,
        )

    def freeze(self, bits: LayerBits, renewal: Renewal = "closed_form") -> int:
        """Fix the bits; step sizes that belonged to others are renewed. Returns how many."""
        self.neuron.steps.freeze([bits.steps])
        self.neuron.bits.freeze(bits.spike_bits)
        fitted = self.renew(renewal)
        self.neuron.forget()
        return fitted

    def thaw(self) -> None:
        """Learn the bits again, from what they were frozen at."""
        self.neuron.steps.thaw()
        self.neuron.bits.thaw()

    def renew(self, mode: Renewal) -> int:
        """Fit step sizes to bits that have crossed to another integer; how many were fitted."""
        return self.neuron.renew(mode)

    def bounded(self) -> Iterator[Bounded]:
        """Every parameter with bounds."""
        yield from self.neuron.bounded()

    def bit_parameters(self) -> Iterator[nn.Parameter]:
        """The learned bits and steps, whether learned or frozen."""
        yield from (self.neuron.bits.real, self.neuron.steps.real)

    def step_size_parameters(self) -> Iterator[nn.Parameter]:
        """The learned step sizes."""
        yield self.neuron.step_sizes

    def neuron_parameters(self) -> Iterator[nn.Parameter]:
        """The learned leak and threshold shifts, where the options have them."""
        yield from self.neuron.own_parameters()


class WeightlessLayer(SpikingLayer):
    """A neuron alone, always searched.

    `kind` is that of its row in the layer table. `partner` names the sibling module whose spikes its own
    are multiplied with, token by token ([..., N, D] each); None where its own spikes are the other factor.
    """

    def __init__(self, *, options: LayerOptions, kind: LayerKind, partner: str | None = None) -> None:
        super().__init__()
        self.options = options
        self.fixed = None
        self.kind = kind
        self.partner = partner
        self.neuron = make_neuron(options, options.bounds)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """Spikes of the current: their average, or their frames where the layer is temporal."""
        spikes: torch.Tensor = self.neuron(current)
        return spikes


def make_neuron(options: LayerOptions, bounds: Bounds, *, signed: bool = False) -> SpikingNeuron:
    """A neuron with its bits inside the bounds, as the options have it."""
    return SpikingNeuron(
        initial_bits=options.initial.spike,
        initial_steps=options.initial.steps,
        bit_bounds=bounds.spike,
        step_bounds=bounds.steps,
        learned=options.learned,
        leak=options.leak,
        learn_leak=options.learn_leak,
        threshold_shift=options.threshold_shift,
        signed=signed or options.signed_spikes,
        temporal=options.temporal,
        steps_gradient=options.steps_gradient,
    )
