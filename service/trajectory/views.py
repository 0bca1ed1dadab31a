"""The bits of each layer over epochs as data."""

from __future__ import annotations

from service.differences.views import LayerBitsView
from service.views import View


class TrajectoryView(View):
    """One layer after one epoch.

    `changed` says that the bits are others than after the epoch before; the step sizes that belonged to
    those were renewed then, unless the job's training says otherwise (`renewal: none`).
    """

    epoch: int
    layer: str
    bits: LayerBitsView
    changed: bool
