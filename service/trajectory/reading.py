"""What changed when: the stored bits of a trial's epochs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.allocation import Allocation
from service.differences.reading import bits_view
from service.trajectory.views import TrajectoryView

Epochs = Sequence[tuple[int, Mapping[str, Any]]]
"""(epoch, allocation as JSON), in order."""


def trajectory_of(epochs: Epochs) -> Iterator[TrajectoryView]:
    """Every layer after every epoch; nothing has changed in the first that is known."""
    before: Allocation | None = None
    for epoch, stored in epochs:
        now = Allocation.from_json(stored)
        for layer, bits in now:
            changed = before is not None and before.layers.get(layer) != bits
            yield TrajectoryView(epoch=epoch, layer=layer, bits=bits_view(bits), changed=changed)
        before = now
