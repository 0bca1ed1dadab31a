"""A made-up search space: one layer, wider by the setting `width`; others change nothing that costs."""

from __future__ import annotations

from dataclasses import replace

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape, Limit
from search.architecture import SearchSpace, architectures_of
from search.strategy import StudyContext

LAYER = LayerShape(name="a", kind="conv", macs=1_000, weights=1_000, inputs=100, biases=1)
POINT = Allocation(layers={"a": LayerBits.uniform(steps=1, spike_bits=1, weight_bits=2)})


def context_of(space: SearchSpace) -> StudyContext:
    """A study of twelve trials under two budgets."""
    tables = {
        chosen: (replace(LAYER, weights=int(dict(chosen)["width"]) * 1_000),)
        for chosen in architectures_of(space)
    }
    return StudyContext(
        layers=next(iter(tables.values())),
        settings=next(iter(tables)),
        tables=tables,
        bounds=Bounds(),
        budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 8.0)),
        constraints=(),
        seed=0,
        trials=12,
    )
