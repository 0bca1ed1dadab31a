"""What the store keeps of the epochs of a trial layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochByLayer:
    """What is stored of one epoch by layer: an allocation as JSON, and counts of renewed step sizes."""

    epoch: int
    bits: Mapping[str, Any]
    renewals: Mapping[str, int] | None

    def renewals_of(self, layer: str) -> int | None:
        """None where they were not counted; a layer that is not named had none."""
        return None if self.renewals is None else self.renewals.get(layer, 0)
