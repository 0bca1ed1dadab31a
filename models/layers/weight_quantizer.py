"""A layer's weight quantizer: one step size, one learned bit width, and the renewal that pairs them.

Per channel it has one of each for every output channel, and treats each channel as a tensor of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from models.allocation import LayerBits
from models.errors import InvalidInputError
from models.functional import Renewal, least_error, quantize_channels, quantize_weights, renewed
from models.layers.bit_width import BitWidth
from models.layers.bounded import Bounded

LEAST_STEP_SIZE = 1e-6
"""Step sizes are kept above this after each optimiser step: they divide."""


class WeightQuantizer(nn.Module):
    """Fake-quantizes a weight tensor; step sizes start from the weights at the first training step.

    `channels` counts the output channels where each has its own width; None where the layer has one.
    """

    def __init__(
        self,
        initial_bits: int,
        bounds: tuple[int, int],
        *,
        learned: bool = True,
        channels: int | None = None,
    ) -> None:
        super().__init__()
        self.per_channel = channels is not None
        count = 1 if channels is None else channels
        self.step_size = nn.Parameter(torch.ones(count))
        self.bits = BitWidth([initial_bits] * count, bounds, learned=learned)
        self._started = False  # beside the buffer, which a device would have to be asked for
        self.fitted_bits: torch.Tensor
        self.register_buffer(
            "fitted_bits", torch.zeros(count, dtype=torch.int64)
        )  # 0 until the step sizes are set

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Quantized weights of the same shape."""
        if self.training and not self._started:
            if not int(self.fitted_bits[0]):
                self._start(weight)
            self._started = True
        form = quantize_channels if self.per_channel else quantize_weights
        return form(weight, self.step_size, self.bits.real)

    def freeze(self, bits: LayerBits) -> None:
        """Fix the widths; one that is given for the layer is that of every channel.

        Raises InvalidInputError where there are widths for other channels, or outside the bounds.
        """
        count = len(self.bits.real)
        widths = bits.channel_bits or (bits.weight_bits,) * count
        if len(widths) != count:
            raise InvalidInputError(f"{len(widths)} weight bit widths for {count}.")
        self.bits.freeze(widths)

    @torch.no_grad()
    def renew(self, mode: Renewal, weight: torch.Tensor | None = None) -> int:
        """Fit each step size (of `weight`, for `search`) whose width has crossed to another integer.

        Returns how many were fitted.
        """
        fitted = 0
        for place, (new, old) in enumerate(zip(self.bits.whole(), self.fitted_bits.tolist(), strict=True)):
            if old not in (0, new):
                values = None if weight is None else self._part(weight, place)
                self.step_size[place] = renewed(
                    self.step_size[place], old, new, mode, signed=True, values=values
                )
                self.fitted_bits[place] = new
                fitted += mode != "none"
        return fitted

    def bounded(self) -> Iterator[Bounded]:
        """The step sizes, which stay positive, and the bits."""
        yield Bounded(parameter=self.step_size, low=LEAST_STEP_SIZE)
        yield self.bits.bounded()

    @torch.no_grad()
    def _start(self, weight: torch.Tensor) -> None:
        widths = self.bits.whole()
        found = [
            float(least_error(self._part(weight, place), bits, signed=True))
            for place, bits in enumerate(widths)
        ]
        self.step_size.copy_(torch.tensor(found))
        self.fitted_bits.copy_(torch.tensor(widths))

    def _part(self, weight: torch.Tensor, place: int) -> torch.Tensor:
        """What the width at a place belongs to: a channel, or the whole tensor."""
        return weight[place] if self.per_channel else weight
