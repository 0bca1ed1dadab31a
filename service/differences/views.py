"""The difference of two points as data; every difference is `b` minus `a`."""

from __future__ import annotations

from service.views import View


class PointHead(View):
    """One of the two points."""

    id: str
    job_id: str
    job: str  # its name
    architecture: str
    method: str
    seed: int
    feasible: bool


class LayerBitsView(View):
    """What a layer gets at a point."""

    steps: int
    spike_bits: list[int]  # one per step
    weight_bits: float  # the mean over output channels where they have widths of their own


class LayerChange(View):
    """`b` minus `a` of one layer; spike bits by their means over the steps."""

    steps: int
    spike_bits: float
    weight_bits: float


class LayerDifference(View):
    """One layer; None where a point has no such searched layer, and then there is no change."""

    layer: str
    a: LayerBitsView | None
    b: LayerBitsView | None
    change: LayerChange | None
    same: bool


class NumberDifference(View):
    """One number of both points; None where it was not measured, or counted otherwise for each."""

    name: str
    a: float | None
    b: float | None
    difference: float | None


class PointDifferenceView(View):
    """Two points beside each other. `costs` are over the searched layers, by metric."""

    a: PointHead
    b: PointHead
    same_network: bool  # one architecture with the same settings
    layers: list[LayerDifference]
    costs: list[NumberDifference]
    measures: list[NumberDifference]
