"""One learned quantity: a real bit width (or number of steps) with inclusive integer bounds.

B = clip(r(real), low, high);  rounding and clipping pass gradients straight through (design section 2)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from models.errors import InvalidInputError
from models.functional.rounding import round_half_away, straight_through, whole_number
from models.layers.bounded import Bounded


class BitWidth(nn.Module):
    """A vector of widths, one entry per step (or a single one); `real` is the parameter.

    Widths that are not `learned`, or whose bounds leave no choice, stay where they start.
    """

    def __init__(self, initial: Sequence[float], bounds: tuple[int, int], *, learned: bool = True) -> None:
        super().__init__()
        self.bounds = bounds
        start = torch.tensor(list(initial), dtype=torch.float32).clamp(*bounds)
        self.learns = learned and bounds[0] < bounds[1]
        self.real = nn.Parameter(start, requires_grad=self.learns)

    def forward(self) -> torch.Tensor:
        """The whole widths as a float tensor with the shape of `real`, gradients straight through."""
        whole = round_half_away(self.real.detach()).clamp_(*self.bounds)
        return straight_through(whole, self.real)

    def whole(self) -> list[int]:
        """The integer widths. Raises NanLossError where the parameter is no longer a number."""
        low, high = self.bounds
        return [min(max(whole_number(width), low), high) for width in self.real.tolist()]

    def wished(self) -> list[float]:
        """The real widths."""
        return [float(width) for width in self.real.tolist()]

    def bounded(self) -> Bounded:
        """The parameter with its bounds."""
        return Bounded(parameter=self.real, low=self.bounds[0], high=self.bounds[1])

    @torch.no_grad()
    def freeze(self, widths: Sequence[int]) -> None:
        """Fix the leading entries at integer widths and learn none of them any more.

        Raises InvalidInputError where a width is outside the bounds or there are more than entries.
        """
        low, high = self.bounds
        if len(widths) > len(self.real) or not all(low <= width <= high for width in widths):
            raise InvalidInputError(
                f"{list(widths)} does not fit {len(self.real)} widths from {low} to {high}."
            )
        self.real[: len(widths)] = torch.tensor(list(widths), dtype=self.real.dtype)
        self.real.requires_grad_(False)

    def thaw(self) -> None:
        """Learn again, from the widths as they are; what was never learned stays fixed."""
        self.real.requires_grad_(self.learns)
