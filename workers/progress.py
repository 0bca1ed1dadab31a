"""How far a training is, beside its tensors: what a checkpoint holds as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models.allocation import Allocation
from workers.steering import State, state_from_json, state_to_json
from workers.tally import EpochPart


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Epochs, steps and samples so far, the bits once they are frozen, and the state of what steers them."""

    epoch: int
    step: int
    samples: int
    allocation: Allocation | None
    """The realised bits; None while they are still being learned."""
    steering: State
    rates: Mapping[str, float] | None = None
    """The spike rates that a budget on a measured cost goes by; None at first, and without such a budget."""
    part: EpochPart | None = None
    """What the epoch that is being trained has added up to; None between two epochs."""

    def to_json(self) -> dict[str, Any]:
        """The form stored in a checkpoint."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "samples": self.samples,
            "part": None if self.part is None else asdict(self.part),
            "allocation": self.allocation.to_json() if self.allocation else None,
            "rates": None if self.rates is None else dict(self.rates),
            **state_to_json(self.steering),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """The inverse of `to_json`."""
        allocation = data["allocation"]
        rates, part = data.get("rates"), data.get("part")  # older checkpoints have none
        return cls(
            epoch=data["epoch"],
            step=data["step"],
            samples=data["samples"],
            allocation=None if allocation is None else Allocation.from_json(allocation),
            steering=state_from_json(data),
            rates=rates,
            part=None if part is None else EpochPart(**part),
        )
