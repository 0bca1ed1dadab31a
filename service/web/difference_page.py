"""The page of the difference of two points, and its drawing: two bars per layer for each of T, Bs and Bw.

The first point's bar is hollow, the second's full, so that they differ in shape as well as in place. It is
drawn on the server as SVG with the parts of the layer chart of a point; all lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.difference.subtract import difference_of
from service.difference.views import LayerDifferenceView, LayerSideView, PointDifferenceView, Quantity
from service.store import Store
from service.web.layer_bars import (
    BAR_HEIGHT,
    GAP,
    LABEL_WIDTH,
    NAMES_HEIGHT,
    ROW_HEIGHT,
    Bar,
    BarRow,
    LayerChart,
)

COLUMN = 60  # of a layer: two bars with their numbers side by side
ROWS: tuple[tuple[str, Quantity, str, str], ...] = (
    ("steps", "steps", "T", "time steps"),
    ("spike", "spike_bits", "Bs", "spike bits"),
    ("weight", "weight_bits", "Bw", "weight bits"),
)


def difference_context(store: Store, point_id: str, other_id: str) -> dict[str, Any]:
    """What the page shows. Raises NotFoundError."""
    with store.unit() as unit:
        found = difference_of(unit.points.get(point_id), unit.points.get(other_id))
    return {
        "found": found,
        "chart": difference_chart(found),
        "layers": [_texts(layer) for layer in found.layers],
        "networks_differ": any(layer.first is None or layer.second is None for layer in found.layers),
    }


def difference_chart(found: PointDifferenceView) -> LayerChart:
    """The drawing of both allocations, layer by layer; a layer that a point lacks has no bar of it."""
    layers = found.layers
    base = ROW_HEIGHT * len(ROWS)
    return LayerChart(
        width=LABEL_WIDTH + COLUMN * len(layers) + 8,
        height=base + NAMES_HEIGHT,
        rows=tuple(_row(place, layers) for place in range(len(ROWS))),
        names=tuple((LABEL_WIDTH + COLUMN * (at + 0.5), layer.name) for at, layer in enumerate(layers)),
        names_y=base + 10,
    )


def _row(place: int, layers: Sequence[LayerDifferenceView]) -> BarRow:
    kind, quantity, symbol, note = ROWS[place]
    base = ROW_HEIGHT * (place + 1) - 8
    sides = [(at, nth, side) for at, one in enumerate(layers) for nth, side in enumerate(_sides(one)) if side]
    top = max((_value(side, quantity) for _, _, side in sides), default=1)
    bars = tuple(
        _bar(at, nth, _value(side, quantity), top=top, base=base, title=f"{layers[at].name}: {symbol}")
        for at, nth, side in sides
    )
    return BarRow(kind=kind, label=symbol, note=note, base=base, bars=bars)


def _bar(at: int, nth: int, number: float, *, top: float, base: float, title: str) -> Bar:
    """The bar of the first point (nth 0) or of the second (1) in the column of layer `at`."""
    width = COLUMN * (1 - 2 * GAP) / 2
    height = BAR_HEIGHT * number / top
    return Bar(
        x=LABEL_WIDTH + COLUMN * (at + GAP) + nth * width,
        y=base - height,
        width=width - 3,
        height=height,
        text=f"{number:.3g}",
        title=f"{title} {number:.3g} in {('A', 'B')[nth]}",
        hollow=nth == 0,
    )


def _sides(layer: LayerDifferenceView) -> tuple[LayerSideView | None, LayerSideView | None]:
    return layer.first, layer.second


def _value(side: LayerSideView, quantity: Quantity) -> float:
    if quantity == "spike_bits":
        return sum(side.spike_bits) / side.steps
    return float(side.steps if quantity == "steps" else side.weight_bits)


def _texts(layer: LayerDifferenceView) -> dict[str, str]:
    """A row of the table: the layer, (A, B) of each quantity as text, and what is not the same."""
    only = "only in B" if layer.first is None else "only in A" if layer.second is None else ""
    named = ", ".join(symbol for _, quantity, symbol, _ in ROWS if quantity in layer.changed)
    cells: dict[str, str] = {
        quantity: " → ".join(dict.fromkeys(_text(side, quantity) for side in _sides(layer)))
        for _, quantity, _, _ in ROWS
    }
    return {"layer": layer.name, **cells, "changed": only or named or "nothing"}


def _text(side: LayerSideView | None, quantity: Quantity) -> str:
    if side is None:
        return "–"
    if quantity == "spike_bits" and len(set(side.spike_bits)) > 1:
        return ", ".join(map(str, side.spike_bits))
    return f"{_value(side, quantity):.3g}"
