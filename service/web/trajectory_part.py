"""What the pages of a trial and of a point show of the bits over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.differences.views import LayerDifference
from service.store import Unit
from service.trajectory.reading import trajectory_of
from service.trajectory.views import TrajectoryView
from service.web.difference_bars import difference_chart
from service.web.layer_bars import spikes_text
from service.web.trajectory_map import trajectory_maps


def trajectory_context(unit: Unit, trial_id: str, asked: str | None) -> dict[str, Any]:
    """`trajectory` for `trajectory.html`; None where no bits are stored.

    Where there is no epoch like the one asked for, it is the last. The bars hold the bits after it against
    those after the first.
    """
    rows = list(trajectory_of(unit.trials.trajectory(trial_id)))
    if not rows:
        return {"trajectory": None}
    epochs = sorted({row.epoch for row in rows})
    chosen = next((epoch for epoch in epochs if str(epoch) == asked), epochs[-1])
    layers = _since_first(rows, epochs[0], chosen)
    return {
        "trajectory": {
            "trial": trial_id,
            "epochs": epochs,
            "chosen": chosen,
            "maps": trajectory_maps(rows, chosen),
            "rows": [row for row in rows if row.epoch == chosen],
            "changed": sum(row.changed for row in rows if row.epoch == chosen),
            "renewals": _renewals(rows, chosen),
            "chart": difference_chart(layers),
            "spikes_text": spikes_text,
        }
    }


def _renewals(rows: Sequence[TrajectoryView], chosen: int) -> int | None:
    """Of all layers in the chosen epoch; None where they were not counted."""
    counts = [row.renewals for row in rows if row.epoch == chosen and row.renewals is not None]
    return sum(counts) if counts else None


def _since_first(rows: Sequence[TrajectoryView], first: int, chosen: int) -> list[LayerDifference]:
    begun = {row.layer: row.bits for row in rows if row.epoch == first}
    found = []
    for row in rows:
        if row.epoch == chosen:
            a, b = begun.get(row.layer), row.bits
            found.append(LayerDifference(layer=row.layer, a=a, b=b, change=None, same=a == b))
    return found
