"""The difference of two points as people see it. Every difference is the second point less the first."""

from __future__ import annotations

from typing import Literal

from service.views import View

Quantity = Literal["steps", "spike_bits", "weight_bits"]


class DifferenceSideView(View):
    """One of the two points."""

    id: str
    job_id: str
    architecture: str
    method: str
    seed: int


class LayerSideView(View):
    """The bits of a layer in one point; `weight_bits` is the mean over channels that have their own."""

    steps: int
    spike_bits: list[int]  # one per step
    weight_bits: float
    channel_bits: list[int] | None = None


class LayerDifferenceView(View):
    """A layer of either point; a side is None where that point has no searched layer of this name.

    `spike_bits` is the difference of the means over the steps. `changed` names what is not the same, spike
    bits step by step and weight bits channel by channel, so that it can name what keeps its mean.
    """

    name: str
    first: LayerSideView | None
    second: LayerSideView | None
    steps: int | None  # None where only one of them has the layer, as the next two
    spike_bits: float | None
    weight_bits: float | None
    changed: list[Quantity]


class ValueDifferenceView(View):
    """A measure or a cost of both points; `difference` is None where they cannot be subtracted."""

    name: str
    scope: str | None = None  # of a cost: which layers it counts
    first: float | None
    second: float | None
    difference: float | None


class PointDifferenceView(View):
    """What changes from the first point to the second."""

    first: DifferenceSideView
    second: DifferenceSideView
    layers: list[LayerDifferenceView]
    measures: list[ValueDifferenceView]
    costs: list[ValueDifferenceView]
