"""The passes of a layer beside its operation: spikes from a current, a current from sums, or both.

In plain torch here, and compiled in `compiled_passes`. Both compute on whole numbers exactly, so they give
the same.
"""

from __future__ import annotations

from typing import Protocol

import torch

from models.export.arithmetic import whole_levels
from models.export.fixed_point import leaked
from models.export.nodes import NO_LEAK
from models.export.pending import Pending
from models.functional.levels import Levels


class Passes(Protocol):
    """Of one layer: its thresholds, levels, multipliers and bias. Steps, frames and samples are one axis."""

    def spikes(self, current: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """[B, ...], or [T B, ...] of frames, to levels [T B, ...]."""

    def currents(self, sums: torch.Tensor) -> torch.Tensor:
        """[T B, O, ...] to [B, O, ...], or to [T B, O, ...] of frames; float64."""

    def current(self, pending: Pending) -> torch.Tensor:
        """The current of this layer that is not computed yet, [B, O, ...]; float64."""

    def carried(
        self, pending: Pending, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A current without frames, empty unless it is to be kept, and the levels [T B, ...] that follow."""


class TorchPasses:
    """See `Passes`. No `shifts`: there are none; `leak` is in units of 2^-LEAK_BITS."""

    def __init__(
        self,
        *,
        thresholds: list[float],
        levels: list[Levels],
        multiplier_TO: torch.Tensor,
        bias_O: torch.Tensor,
        framed: bool,
        shifts: list[float] | None = None,
        leak: int = NO_LEAK,
    ) -> None:
        self.thresholds = thresholds
        self.levels = levels
        self.shifts = shifts or [0.0] * len(thresholds)
        self.leak = leak
        self.multiplier_TO = multiplier_TO
        self.bias_O = bias_O
        self.framed = framed

    @property
    def steps(self) -> int:
        """T."""
        return len(self.thresholds)

    def spikes(self, current: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """See `Passes`."""
        found: list[torch.Tensor] = []
        x_T = current.chunk(self.steps) if self.framed else [current] * self.steps
        left = torch.zeros_like(x_T[0])
        for x, V, levels, shift in zip(x_T, self.thresholds, self.levels, self.shifts, strict=True):
            u = left + x - shift
            n = whole_levels(u, V, levels)
            found.append(n.to(dtype))
            left = torch.sub(u, n, alpha=V)
            if self.leak != NO_LEAK:
                left = leaked(left.long(), self.leak).double()
        return torch.cat(found)

    def currents(self, sums: torch.Tensor) -> torch.Tensor:
        """See `Passes`."""
        after = [1] * (sums.dim() - 2)
        outputs = [
            part.double() * scale.view(-1, *after)
            for part, scale in zip(sums.chunk(self.steps), self.multiplier_TO, strict=True)
        ]
        bias = self.bias_O.view(-1, *after)
        if self.framed:
            return torch.cat([output.add_(bias) for output in outputs])
        total: torch.Tensor = outputs[0].add_(bias)
        for output in outputs[1:]:
            total += output
        return total

    def current(self, pending: Pending) -> torch.Tensor:
        """See `Passes`."""
        found = self.currents(pending.operation(pending.n))
        return found if pending.shortcut is None else found.add_(pending.shortcut)

    def carried(
        self, pending: Pending, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Passes`."""
        current = pending.current()
        return current, self.spikes(current, dtype)
