"""What changed when: the stored bits and renewals of a trial's epochs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.allocation import Allocation
from service.differences.reading import bits_view
from service.trajectory.epochs import EpochByLayer
from service.trajectory.views import TrajectoryView


def trajectory_of(epochs: Sequence[EpochByLayer]) -> Iterator[TrajectoryView]:
    """Every layer after every epoch, in order; nothing has changed in the first that is known."""
    before: Allocation | None = None
    for at in epochs:
        now = Allocation.from_json(at.bits)
        for layer, bits in now:
            yield TrajectoryView(
                epoch=at.epoch,
                layer=layer,
                bits=bits_view(bits),
                changed=before is not None and before.layers.get(layer) != bits,
                renewals=at.renewals_of(layer),
            )
        before = now
