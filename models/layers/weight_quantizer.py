"""A layer's weight quantizer: one step size, one learned bit width, and the renewal that pairs them."""

from __future__ import annotations

import torch
from torch import nn

from models.functional import Renewal, least_error, quantize_weights, renewed
from models.layers.bit_width import BitWidth

LEAST_STEP_SIZE = 1e-6
"""Step sizes are kept above this after each optimiser step: they divide."""


class WeightQuantizer(nn.Module):
    """Fake-quantizes a weight tensor; the step size starts from the weights at the first training step."""

    def __init__(self, initial_bits: int, bounds: tuple[int, int], *, learned: bool = True) -> None:
        super().__init__()
        self.step_size = nn.Parameter(torch.ones(1))
        self.bits = BitWidth([initial_bits], bounds, learned=learned)
        self._started = False  # beside the buffer, which a device would have to be asked for
        self.fitted_bits: torch.Tensor
        self.register_buffer("fitted_bits", torch.zeros(1, dtype=torch.int64))  # 0 until the step size is set

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Quantized weights of the same shape."""
        if self.training and not self._started:
            if not int(self.fitted_bits):
                self._start(weight)
            self._started = True
        return quantize_weights(weight, self.step_size, self.bits.real)

    @torch.no_grad()
    def renew(self, mode: Renewal, weight: torch.Tensor | None = None) -> None:
        """Fit the step size (of `weight`, for `search`) if the bit width has crossed to another integer."""
        (new,) = self.bits.whole()
        old = int(self.fitted_bits)
        if old in (0, new):
            return
        self.step_size.copy_(renewed(self.step_size, old, new, mode, signed=True, values=weight))
        self.fitted_bits.fill_(new)

    @torch.no_grad()
    def constrain(self) -> None:
        """Keep the step size positive and the bits inside their bounds."""
        self.step_size.clamp_(min=LEAST_STEP_SIZE)
        self.bits.constrain()

    @torch.no_grad()
    def _start(self, weight: torch.Tensor) -> None:
        (bits,) = self.bits.whole()
        self.step_size.fill_(float(least_error(weight, bits, signed=True)))
        self.fitted_bits.fill_(bits)
