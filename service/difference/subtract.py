"""The difference of two points.

For layer l that both have:  dT = T2 - T1,  dBs = mean(Bs2) - mean(Bs1),  dBw = mean(Bw2) - mean(Bw1), where
Bs is averaged over the steps and Bw over the output channels. Layers are matched by name. Costs of which the
two points have different versions are shown and not subtracted: they are not of one scale.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.allocation import Allocation, LayerBits
from service.difference.views import (
    DifferenceSideView,
    LayerDifferenceView,
    LayerSideView,
    PointDifferenceView,
    Quantity,
    ValueDifferenceView,
)
from service.views import PointView

MEASURES = ("accuracy", "balanced_accuracy", "loss")
SPLITS = ("validation", "test")


def difference_of(first: PointView, second: PointView) -> PointDifferenceView:
    """What changes from the first point to the second."""
    return PointDifferenceView(
        first=_side(first),
        second=_side(second),
        layers=_layers(first, second),
        measures=list(_measures(first, second)),
        costs=list(_costs(first, second)),
    )


def _side(point: PointView) -> DifferenceSideView:
    return DifferenceSideView(
        id=point.id,
        job_id=point.job_id,
        architecture=point.spec["architecture"]["name"],
        method=point.method,
        seed=point.seed,
    )


def _layers(first: PointView, second: PointView) -> list[LayerDifferenceView]:
    """The layers of the first in order, then those that only the second has."""
    ones, others = (dict(Allocation.from_json(point.allocation)) for point in (first, second))
    return [_layer(name, ones.get(name), others.get(name)) for name in dict.fromkeys((*ones, *others))]


def _layer(name: str, one: LayerBits | None, other: LayerBits | None) -> LayerDifferenceView:
    return LayerDifferenceView(
        name=name,
        first=one and _bits(one),
        second=other and _bits(other),
        steps=other.steps - one.steps if one and other else None,
        spike_bits=other.mean_spike_bits - one.mean_spike_bits if one and other else None,
        weight_bits=other.mean_weight_bits - one.mean_weight_bits if one and other else None,
        changed=list(_changed(one, other)) if one and other else [],
    )


def _bits(bits: LayerBits) -> LayerSideView:
    return LayerSideView(
        steps=bits.steps,
        spike_bits=list(bits.spike_bits),
        weight_bits=bits.mean_weight_bits,
        channel_bits=None if bits.channel_bits is None else list(bits.channel_bits),
    )


def _changed(one: LayerBits, other: LayerBits) -> Iterator[Quantity]:
    if one.steps != other.steps:
        yield "steps"
    if one.spike_bits != other.spike_bits:
        yield "spike_bits"
    if (one.weight_bits, one.channel_bits) != (other.weight_bits, other.channel_bits):
        yield "weight_bits"


def _measures(first: PointView, second: PointView) -> Iterator[ValueDifferenceView]:
    for name in (f"{split}_{measure}" for measure in MEASURES for split in SPLITS):
        yield _value(name, None, getattr(first, name), getattr(second, name))


def _costs(first: PointView, second: PointView) -> Iterator[ValueDifferenceView]:
    for scope in dict.fromkeys((*first.costs, *second.costs)):
        ones, others = first.costs.get(scope, {}), second.costs.get(scope, {})
        for metric in dict.fromkeys((*ones, *others)):
            same = first.cost_versions.get(metric) == second.cost_versions.get(metric)
            yield _value(metric, scope, ones.get(metric), others.get(metric), comparable=same)


def _value(
    name: str, scope: str | None, one: float | None, other: float | None, *, comparable: bool = True
) -> ValueDifferenceView:
    difference = other - one if comparable and one is not None and other is not None else None
    return ValueDifferenceView(name=name, scope=scope, first=one, second=other, difference=difference)
