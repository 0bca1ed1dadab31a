"""What every searched layer of a network shares: the bounds of its bits, and how its neurons behave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.allocation import Bounds, WeightPer
from models.functional import StepsGradient

Quantity = Literal["weight", "spike", "steps"]
QUANTITIES: frozenset[Quantity] = frozenset({"weight", "spike", "steps"})


@dataclass(frozen=True, kw_only=True, slots=True)
class InitialBits:
    """Where learned bits start (the paper's 4/4/2); clipped to the bounds."""

    weight: int = 4
    spike: int = 4
    steps: int = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerOptions:
    """The options of design section 2.

    `learned` names the quantities that learn; the others stay where they start. `temporal` layers take
    [F, B, ...] frames that differ and give T frames; others take one [B, ...] current and give its average.
    `weight_per` says whether a searched layer has one weight bit width and step size, or one of each for
    every output channel. `steps_gradient` is the form of dT by which layers that are not temporal learn.
    """

    bounds: Bounds = field(default_factory=Bounds)
    initial: InitialBits = field(default_factory=InitialBits)
    learned: frozenset[Quantity] = QUANTITIES
    temporal: bool = False
    leak: float = 1.0
    learn_leak: bool = False
    threshold_shift: bool = False
    signed_spikes: bool = False
    weight_per: WeightPer = "layer"
    steps_gradient: StepsGradient = "divisor"

    def learning_bounds(self) -> Bounds:
        """The bounds in which what is not learned is held at where it starts."""
        initial, bounds = self.initial, self.bounds
        return Bounds(
            weight=self._held("weight", initial.weight, bounds.weight),
            spike=self._held("spike", initial.spike, bounds.spike),
            steps=self._held("steps", initial.steps, bounds.steps),
            weight_per=self.weight_per,
        )

    def _held(self, quantity: Quantity, start: int, bounds: tuple[int, int]) -> tuple[int, int]:
        low, high = bounds
        held = min(max(start, low), high)
        return bounds if quantity in self.learned else (held, held)
