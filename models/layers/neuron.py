"""The refined neuron as a module: learned thresholds and spike bits per step, and a learned number of steps.

A signed neuron keeps the sign of its input; it serves the first layer, whose input is an image. A temporal
neuron takes frames that differ, [F, ...], and gives its spikes as T frames, [T, ...]; others take one current
and give their average over T steps.

Off by default: a leak d below 1, which may learn inside [LEAST_LEAK, 1], and a learned threshold shift z_t
per step, 0 at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from models.functional import (
    Renewal,
    StepsGradient,
    fire,
    fire_frames,
    least_error,
    regroup,
    renewed,
    spike_rates,
)
from models.layers.bit_width import BitWidth
from models.layers.bounded import Bounded
from models.layers.options import QUANTITIES, Quantity
from models.layers.weight_quantizer import LEAST_STEP_SIZE
from models.replicas import ALONE, Replicas

LEAST_LEAK = 1e-3
SAMPLES_KEPT = 4
"""Samples that a neuron keeps for renewal by search: of each batch while its bits learn, and of what its
rates are measured on.
"""


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
        learned: frozenset[Quantity] = QUANTITIES,
        leak: float = 1.0,
        learn_leak: bool = False,
        threshold_shift: bool = False,
        signed: bool = False,
        temporal: bool = False,
        steps_gradient: StepsGradient = "divisor",
    ) -> None:
        super().__init__()
        longest = step_bounds[1]
        self.signed = signed
        self.temporal = temporal
        self.steps_gradient = steps_gradient
        self.leak = nn.Parameter(torch.tensor([leak])) if learn_leak else leak
        self.shifts = nn.Parameter(torch.zeros(longest)) if threshold_shift else None
        self.step_sizes = nn.Parameter(torch.ones(longest))
        self.bits = BitWidth([initial_bits] * longest, bit_bounds, learned="spike" in learned)
        self.steps = BitWidth([initial_steps], step_bounds, learned="steps" in learned)
        self.replicas: Replicas = ALONE
        self._started = False  # beside the buffer, which a device would have to be asked for
        self.sample: torch.Tensor | None = None
        """What renewal by search looks at."""
        self.fitted_bits: torch.Tensor
        self.register_buffer(
            "fitted_bits", torch.zeros(longest, dtype=torch.int64)
        )  # 0 until the step sizes are set

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """The average output over the steps; T frames of it where the neuron is temporal."""
        if self.training:
            self._watch(current)
        form = fire_frames if self.temporal else partial(fire, steps_gradient=self.steps_gradient)
        return form(
            current,
            self.step_sizes,
            self.bits.real,
            self.steps.real,
            self.leak,
            signed=self.signed,
            shifts=self.shifts,
        )

    @torch.no_grad()
    def rates(self, current: torch.Tensor) -> list[float]:
        """The share of nonzero spikes at each step for a given current, of which a sample is kept."""
        self._keep(current)
        return spike_rates(
            self._seen(current),
            self.step_sizes,
            self.bits.real,
            self.steps.real,
            self.leak,
            signed=self.signed,
            shifts=self.shifts,
            framed=self.temporal,
        )

    @torch.no_grad()
    def renew(self, mode: Renewal) -> int:
        """Fit each step size whose bit width has crossed to another integer; how many were fitted."""
        fitted = 0
        for step, (new, old) in enumerate(zip(self.bits.whole(), self.fitted_bits.tolist(), strict=True)):
            if old not in (0, new):
                self.step_sizes[step] = renewed(
                    self.step_sizes[step], old, new, mode, signed=self.signed, values=self.sample
                )
                self.fitted_bits[step] = new
                fitted += mode != "none"
        return fitted

    def forget(self) -> None:
        """Drop the sample that renewal by search looks at: no later batch is kept once bits are frozen, and a
        resumed training has none.
        """
        self.sample = None

    def bounded(self) -> Iterator[Bounded]:
        """The step sizes, which stay positive, a learned leak, bits and steps."""
        yield Bounded(parameter=self.step_sizes, low=LEAST_STEP_SIZE)
        if isinstance(self.leak, nn.Parameter):
            yield Bounded(parameter=self.leak, low=LEAST_LEAK, high=1.0)
        yield from (self.bits.bounded(), self.steps.bounded())

    def own_parameters(self) -> Iterator[nn.Parameter]:
        """The learned leak and threshold shifts, where there are any."""
        if isinstance(self.leak, nn.Parameter):
            yield self.leak
        if self.shifts is not None:
            yield self.shifts

    @torch.no_grad()
    def _watch(self, current: torch.Tensor) -> None:
        """Start from the first training batch, and keep a sample of each while bits learn."""
        if not self._started:
            if not int(self.fitted_bits[0]):
                batch_dim = 1 if self.temporal else 0
                self._start(self._seen(self.replicas.whole(current, batch_dim)))
            self._started = True
        if self.bits.real.requires_grad:
            self._keep(current)

    def _keep(self, current: torch.Tensor) -> None:
        few = current[:, :SAMPLES_KEPT] if self.temporal else current[:SAMPLES_KEPT]
        self.sample = few.detach().flatten().clone()

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
