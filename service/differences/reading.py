"""Puts two stored points beside each other, layer by layer; layers are matched by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.allocation import Allocation, LayerBits
from service.differences.views import (
    LayerBitsView,
    LayerChange,
    LayerDifference,
    NumberDifference,
    PointDifferenceView,
    PointHead,
)
from service.store import Unit
from service.views import PointView

SCOPE = "searched"
MEASURES = (
    "validation_accuracy",
    "test_accuracy",
    "validation_balanced_accuracy",
    "test_balanced_accuracy",
    "validation_loss",
    "test_loss",
)


def difference_of(unit: Unit, a_id: str, b_id: str) -> PointDifferenceView:
    """Two points, of one job or of two. Raises NotFoundError."""
    a, b = unit.points.get(a_id), unit.points.get(b_id)
    bits = (Allocation.from_json(a.allocation), Allocation.from_json(b.allocation))
    return PointDifferenceView(
        a=_head(unit, a),
        b=_head(unit, b),
        same_network=(a.spec["architecture"], a.settings) == (b.spec["architecture"], b.settings),
        layers=list(layer_differences(*bits)),
        costs=[_comparable(one, a, b) for one in number_differences(a.costs[SCOPE], b.costs[SCOPE])],
        measures=number_differences(_measures(a), _measures(b)),
    )


def layer_differences(a: Allocation, b: Allocation) -> Iterator[LayerDifference]:
    """Every layer of either, in the order of `a` and then of `b`."""
    of_a, of_b = dict(a), dict(b)
    for name in dict.fromkeys([*of_a, *of_b]):
        one, other = of_a.get(name), of_b.get(name)
        yield LayerDifference(
            layer=name,
            a=None if one is None else bits_view(one),
            b=None if other is None else bits_view(other),
            change=None if one is None or other is None else _change(one, other),
            same=one == other,
        )


def number_differences(
    a: Mapping[str, float | None], b: Mapping[str, float | None]
) -> list[NumberDifference]:
    """Every number of either, in the order of `a` and then of `b`."""
    return [_number(name, a.get(name), b.get(name)) for name in dict.fromkeys([*a, *b])]


def _number(name: str, a: float | None, b: float | None) -> NumberDifference:
    difference = None if a is None or b is None else b - a
    return NumberDifference(name=name, a=a, b=b, difference=difference)


def _change(a: LayerBits, b: LayerBits) -> LayerChange:
    return LayerChange(
        steps=b.steps - a.steps,
        spike_bits=b.mean_spike_bits - a.mean_spike_bits,
        weight_bits=b.mean_weight_bits - a.mean_weight_bits,
    )


def bits_view(bits: LayerBits) -> LayerBitsView:
    """The bits of a layer as REST has them."""
    return LayerBitsView(
        steps=bits.steps, spike_bits=list(bits.spike_bits), weight_bits=bits.mean_weight_bits
    )


def _comparable(cost: NumberDifference, a: PointView, b: PointView) -> NumberDifference:
    """A cost, without a difference where the two were counted by different versions of its metric."""
    same = a.cost_versions.get(cost.name) == b.cost_versions.get(cost.name)
    return cost if same else cost.model_copy(update={"difference": None})


def _head(unit: Unit, point: PointView) -> PointHead:
    return PointHead(
        id=point.id,
        job_id=point.job_id,
        job=unit.jobs.get(point.job_id).name,
        architecture=point.spec["architecture"]["name"],
        method=point.method,
        seed=point.seed,
        feasible=point.feasible,
    )


def _measures(point: PointView) -> Mapping[str, float | None]:
    return {name: getattr(point, name) for name in MEASURES}
