"""The refined neuron as a module: learned thresholds and spike bits per step, and a learned number of steps.

A signed neuron keeps the sign of its input; it serves the first layer, whose input is an image. A temporal
neuron takes frames that differ, [F, ...], and gives its spikes as T frames, [T, ...]; others take one current
and give their average over T steps.
"""

from __future__ import annotations

import torch
from torch import nn

from models.functional import Renewal, fire, fire_frames, least_error, regroup, renewed, spike_rates
from models.layers.bit_width import BitWidth
from models.layers.weight_quantizer import LEAST_STEP_SIZE


class SpikingNeuron(nn.Module):
    """Turns a current of any shape into its average spike output of the same shape, or frames into frames.

    `step_sizes` and `bits` have one entry for each of the most steps that the bounds allow. The step sizes
    start from the first training batch.
    """

    def __init__(
        self,
        *,
        initial_bits: int,
        initial_steps: int,
        bit_bounds: tuple[int, int],
        step_bounds: tuple[int, int],
        leak: float = 1.0,
        signed: bool = False,
        temporal: bool = False,
    ) -> None:
        super().__init__()
        longest = step_bounds[1]
        self.signed = signed
        self.temporal = temporal
        self.leak = leak
        self.step_sizes = nn.Parameter(torch.ones(longest))
        self.bits = BitWidth([initial_bits] * longest, bit_bounds)
        self.steps = BitWidth([initial_steps], step_bounds)
        self.fitted_bits: torch.Tensor
        self.register_buffer(
            "fitted_bits", torch.zeros(longest, dtype=torch.int64)
        )  # 0 until the step sizes are set

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """The average output over the steps; T frames of it where the neuron is temporal."""
        if self.training and not int(self.fitted_bits[0]):
            self._start(self._seen(current))
        form = fire_frames if self.temporal else fire
        return form(current, self.step_sizes, self.bits.real, self.steps.real, self.leak, signed=self.signed)

    @torch.no_grad()
    def rates(self, current: torch.Tensor) -> list[float]:
        """The share of nonzero spikes at each step for a given current."""
        return spike_rates(
            self._seen(current),
            self.step_sizes,
            self.bits.real,
            self.steps.real,
            self.leak,
            signed=self.signed,
            framed=self.temporal,
        )

    @torch.no_grad()
    def renew(self, mode: Renewal) -> None:
        """Fit each step size whose bit width has crossed to another integer."""
        for step, (new, old) in enumerate(zip(self.bits.whole(), self.fitted_bits.tolist(), strict=True)):
            if old not in (0, new):
                self.step_sizes[step] = renewed(self.step_sizes[step], old, new, mode, signed=self.signed)
                self.fitted_bits[step] = new

    @torch.no_grad()
    def constrain(self) -> None:
        """Keep step sizes positive, bits and steps inside their bounds."""
        self.step_sizes.clamp_(min=LEAST_STEP_SIZE)
        self.bits.constrain()
        self.steps.constrain()

    def _seen(self, current: torch.Tensor) -> torch.Tensor:
        """The current of each step: one for all of them, or a frame each."""
        return regroup(current, *self.steps.whole()) if self.temporal else current

    @torch.no_grad()
    def _start(self, current: torch.Tensor) -> None:
        found = {
            width: float(least_error(current, width, signed=self.signed)) for width in set(self.bits.whole())
        }
        self.step_sizes.copy_(torch.tensor([found[width] for width in self.bits.whole()]))
        self.fitted_bits.copy_(torch.tensor(self.bits.whole()))
