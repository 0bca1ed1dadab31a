"""A searched layer: a spiking neuron, then one convolution or matrix product with quantized weights.

Whatever T is, one convolution follows the neuron's average, so neighbouring layers may have different T.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

from models.allocation import Bounds, LayerBits
from models.cost import LayerLoad, LayerShape
from models.functional import Renewal
from models.layers.neuron import SpikingNeuron
from models.layers.options import LayerOptions
from models.layers.weight_quantizer import WeightQuantizer
from models.repair import LayerWish


class AdaptiveLayer(nn.Module):
    """Wraps a Conv2d or Linear; with `fixed` bits it is not searched."""

    def __init__(
        self,
        operator: nn.Conv2d | nn.Linear,
        *,
        options: LayerOptions,
        fixed: LayerBits | None = None,
        signed: bool = False,
    ) -> None:
        super().__init__()
        self.operator = operator
        self.fixed = fixed
        self.options = options
        bounds = options.bounds if fixed is None else _bounds_of(fixed)
        self.neuron = SpikingNeuron(
            initial_bits=options.initial.spike,
            initial_steps=options.initial.steps,
            bit_bounds=bounds.spike,
            step_bounds=bounds.steps,
            leak=options.leak,
            signed=signed or options.signed_spikes,
        )
        self.quantizer = WeightQuantizer(options.initial.weight, bounds.weight)
        if fixed is not None:
            self.freeze(fixed)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] or [B, C] currents to the operator's output."""
        spikes = self.neuron(current)
        weight = self.quantizer(self.operator.weight)
        if isinstance(self.operator, nn.Linear):
            return functional.linear(spikes, weight, self.operator.bias)
        op = self.operator
        if isinstance(op.padding, str):
            raise TypeError("name the padding of a convolution by numbers")
        return functional.conv2d(spikes, weight, op.bias, op.stride, op.padding, op.dilation, op.groups)

    def bits(self) -> LayerBits:
        """The whole bits that the layer computes with now."""
        (steps,) = self.neuron.steps.whole()
        (weight_bits,) = self.quantizer.bits.whole()
        return LayerBits(
            steps=steps, spike_bits=tuple(self.neuron.bits.whole()[:steps]), weight_bits=weight_bits
        )

    def wish(self) -> LayerWish:
        """The real-valued bits that learning has reached."""
        return LayerWish(
            steps=self.neuron.steps.wished()[0],
            spike_bits=tuple(self.neuron.bits.wished()),
            weight_bits=self.quantizer.bits.wished()[0],
        )

    def load(self, shape: LayerShape) -> LayerLoad:
        """The layer's load with tensors that carry gradients to its bits and steps."""
        (steps,) = self.neuron.steps.whole()
        return LayerLoad(
            shape=shape,
            steps=self.neuron.steps()[0],
            mean_spike_bits=self.neuron.bits()[:steps].mean(),
            weight_bits=self.quantizer.bits()[0],
        )

    def freeze(self, bits: LayerBits) -> None:
        """Fix the bits; step sizes that belonged to others are renewed."""
        self.neuron.steps.freeze([bits.steps])
        self.neuron.bits.freeze(bits.spike_bits)
        self.quantizer.bits.freeze([bits.weight_bits])
        self.renew("closed_form")

    def renew(self, mode: Renewal) -> None:
        """Fit step sizes to bits that have crossed to another integer."""
        self.neuron.renew(mode)
        self.quantizer.renew(mode)

    def constrain(self) -> None:
        """Bring every parameter back inside its bounds after an optimiser step."""
        self.neuron.constrain()
        self.quantizer.constrain()

    def bit_parameters(self) -> Iterator[nn.Parameter]:
        """Weight bits, spike bits and steps, whether learned or frozen."""
        yield from (self.quantizer.bits.real, self.neuron.bits.real, self.neuron.steps.real)

    def step_size_parameters(self) -> Iterator[nn.Parameter]:
        """The step sizes of weights and spikes."""
        yield from (self.quantizer.step_size, self.neuron.step_sizes)


def _bounds_of(fixed: LayerBits) -> Bounds:
    """Bounds that hold exactly the given bits."""
    widths = fixed.spike_bits
    return Bounds(
        weight=(fixed.weight_bits, fixed.weight_bits),
        spike=(min(widths), max(widths)),
        steps=(fixed.steps, fixed.steps),
    )
