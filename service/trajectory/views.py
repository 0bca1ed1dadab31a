"""The bits of each layer over epochs as data."""

from __future__ import annotations

from service.differences.views import LayerBitsView
from service.views import View


class TrajectoryView(View):
    """One layer after one epoch.

    `changed` says that the bits are others than after the epoch before. `renewals` counts how often a step
    size was fitted to another bit width during the epoch: bits that went and came back leave some too. It is
    None where it was not counted.
    """

    epoch: int
    layer: str
    bits: LayerBitsView
    changed: bool
    renewals: int | None = None
