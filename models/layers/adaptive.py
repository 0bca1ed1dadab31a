"""A searched layer: a spiking neuron, then one convolution or matrix product with quantized weights.

Whatever T is, one convolution follows the neuron's average, so neighbouring layers may have different T.
Where the input varies in time, the convolution follows each of the neuron's T frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from models.allocation import Bounds, LayerBits
from models.cost import LayerLoad, LayerShape
from models.functional import Renewal
from models.layers.bounded import Bounded
from models.layers.options import LayerOptions
from models.layers.spiking import SpikingLayer, make_neuron
from models.layers.weight_quantizer import WeightQuantizer
from models.wish import LayerWish

Operator = nn.Conv1d | nn.Conv2d | nn.Linear
FLOATS_OF_A_REGISTER = 8


class AdaptiveLayer(SpikingLayer):
    """Wraps a Conv1d, Conv2d or Linear; with `fixed` bits it is not searched."""

    def __init__(
        self,
        operator: Operator,
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
        self.neuron = make_neuron(options, bounds, signed=signed)
        self.quantizer = WeightQuantizer(
            options.initial.weight,
            bounds.weight,
            learned="weight" in options.learned,
            channels=len(operator.weight) if self.per_channel else None,
        )
        if fixed is not None:
            self.freeze(fixed)

    @property
    def per_channel(self) -> bool:
        """Whether each output channel has weight bits of its own; a layer with fixed bits has one width."""
        return self.options.weight_per == "channel" and self.fixed is None

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """[B, ...] currents to the operator's output; [F, B, ...] frames to its T frames where temporal."""
        spikes = self.neuron(current)
        weight = self.quantizer(self.operator.weight)
        if not self.options.temporal:
            return operate(self.operator, spikes, weight)
        merged = operate(self.operator, spikes.flatten(0, 1), weight)
        return merged.view(*spikes.shape[:2], *merged.shape[1:])

    def bits(self) -> LayerBits:
        """The whole bits that the layer computes with now."""
        widths, bits = self.quantizer.bits.whole(), super().bits()
        return bits.with_channels(widths) if self.per_channel else replace(bits, weight_bits=widths[0])

    def wish(self) -> LayerWish:
        """The real-valued bits that learning has reached."""
        widths = self.quantizer.bits.wished()
        return replace(super().wish(), weight_bits=tuple(widths) if self.per_channel else widths[0])

    def load(self, shape: LayerShape) -> LayerLoad:
        """The layer's load with tensors that carry gradients to its bits and steps."""
        widths = self.quantizer.bits()
        return replace(
            super().load(shape),
            weight_bits=widths.mean() if self.per_channel else widths[0],
            weight_step_sizes=len(widths),
        )

    def freeze(self, bits: LayerBits, renewal: Renewal = "closed_form") -> int:
        """Fix the bits; step sizes that belonged to others are renewed. Returns how many."""
        self.quantizer.freeze(bits)
        return super().freeze(bits, renewal)

    def thaw(self) -> None:
        """Learn the bits again, from what they were frozen at."""
        self.quantizer.bits.thaw()
        super().thaw()

    def renew(self, mode: Renewal) -> int:
        """Fit step sizes to bits that have crossed to another integer; how many were fitted."""
        return super().renew(mode) + self.quantizer.renew(mode, self.operator.weight)

    def bounded(self) -> Iterator[Bounded]:
        """Every parameter with bounds."""
        yield from super().bounded()
        yield from self.quantizer.bounded()

    def bit_parameters(self) -> Iterator[nn.Parameter]:
        """Weight bits, spike bits and steps, whether learned or frozen."""
        yield self.quantizer.bits.real
        yield from super().bit_parameters()

    def step_size_parameters(self) -> Iterator[nn.Parameter]:
        """The step sizes of weights and spikes."""
        yield self.quantizer.step_size
        yield from super().step_size_parameters()


def operate(operator: Operator, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The operator with another weight, on spikes or on floats."""
    if isinstance(operator, nn.Linear):
        return functional.linear(x, weight, operator.bias)
    op: Any = operator  # torch types the two convolutions apart; they are called alike
    convolve = functional.conv1d if isinstance(operator, nn.Conv1d) else functional.conv2d
    stride = op.stride
    if isinstance(operator, nn.Conv2d) and _strided_pointwise(operator):
        x, stride = x[..., :: stride[0], :: stride[1]], 1
    output: torch.Tensor = convolve(x, weight, op.bias, stride, op.padding, op.dilation, op.groups)
    return output


def _strided_pointwise(operator: nn.Conv2d) -> bool:
    """Whether it only looks at some pixels, of fewer channels than a register has floats.

    On processors with AVX2 alone oneDNN's gradient of such a weight, channels last, writes beyond its memory
    (torch 2.13.0). The same pixels taken out first give the same.
    """
    pointwise = operator.kernel_size == (1, 1) and operator.padding in {(0, 0), "valid"}
    return pointwise and operator.stride != (1, 1) and operator.in_channels < FLOATS_OF_A_REGISTER


def _bounds_of(fixed: LayerBits) -> Bounds:
    """Bounds that hold exactly the given bits."""
    widths = fixed.spike_bits
    return Bounds(
        weight=(fixed.weight_bits, fixed.weight_bits),
        spike=(min(widths), max(widths)),
        steps=(fixed.steps, fixed.steps),
    )
