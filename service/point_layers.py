"""Each layer of a point as a row: its bits, what it costs by itself, and its share of the whole.

s_ace_share    s_ace of the layer / sum of s_ace over all layers: its share of the bit operations
budget_share   the same of the metric that bounds the job, among the layers of its scope, where that metric
               is a sum over layers; bit_budget (a product of means) and spike_kib (a maximum) are none
"""

from __future__ import annotations

from models.allocation import Allocation
from models.cost import default_scope
from service.views import PointView, View

SUMMED_METRICS = frozenset({"s_ace", "weight_kib", "cycles", "energy_uj", "table"})
COST_FIELDS = ("searched", "s_ace", "cycles", "energy_uj", "weight_kib", "spike_kib", "table")


class PointLayerView(View):
    """A layer of a point; bits are None of one that is not searched, costs without a known layer table."""

    layer: str
    searched: bool
    steps: int | None = None
    spike_bits: list[int] | None = None  # one per step
    weight_bits: float | None = None  # the mean over output channels where they have widths of their own
    firing_rate: float | None = None  # the mean over steps
    s_ace: float | None = None
    s_ace_share: float | None = None
    budget_share: float | None = None
    cycles: float | None = None
    energy_uj: float | None = None
    weight_kib: float | None = None
    spike_kib: float | None = None
    table: float | None = None


def layers_of(point: PointView) -> list[PointLayerView]:
    """Every layer of a point in the order of the network; only the searched ones where no more is known."""
    if not point.layer_costs:
        return [_with_bits(PointLayerView(layer=name, searched=True), point) for name in point.allocation]
    whole = sum(cost.s_ace for cost in point.layer_costs)
    shares = _budget_shares(point)
    return [
        _with_bits(
            PointLayerView(
                layer=cost.name,
                s_ace_share=cost.s_ace / whole if whole else None,
                budget_share=shares.get(cost.name),
                **{name: getattr(cost, name) for name in COST_FIELDS},
            ),
            point,
        )
        for cost in point.layer_costs
    ]


def _with_bits(row: PointLayerView, point: PointView) -> PointLayerView:
    rates = point.rates.get(row.layer)
    found = row.model_copy(update={"firing_rate": sum(rates) / len(rates) if rates else None})
    if row.layer not in point.allocation:
        return found
    bits = dict(Allocation.from_json(point.allocation))[row.layer]
    return found.model_copy(
        update={
            "steps": bits.steps,
            "spike_bits": list(bits.spike_bits),
            "weight_bits": float(bits.mean_weight_bits),
        }
    )


def _budget_shares(point: PointView) -> dict[str, float]:
    """The shares by layer name; none where the metric of the job is no sum over layers."""
    budget = point.spec["budget"]
    metric = budget["metric"]
    if metric not in SUMMED_METRICS:
        return {}
    whole_network = (budget.get("scope") or default_scope(metric)) == "all"
    counted = [cost for cost in point.layer_costs if whole_network or cost.searched]
    values = {cost.name: getattr(cost, metric) or 0.0 for cost in counted}
    whole = sum(values.values())
    return {name: value / whole for name, value in values.items()} if whole else {}
