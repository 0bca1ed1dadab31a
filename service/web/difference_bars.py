"""The geometry of two points beside each other: rows for T, Bs and Bw, two bars per layer.

The first point's bar stands on the left and is full, the second's on the right and is hatched. It is drawn
on the server as SVG, so that it needs no script. All lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from service.differences.views import LayerBitsView, LayerDifference
from service.web.layer_bars import (
    BAR_HEIGHT,
    FULL_WIDTH,
    GAP,
    LABEL_WIDTH,
    NAMES_HEIGHT,
    ROW_HEIGHT,
    Bar,
    BarRow,
    LayerChart,
)

NARROWEST, WIDEST = 40, 72  # of a layer's column
Value = Callable[[LayerBitsView], float]
QUANTITIES: Mapping[str, tuple[str, str, Value]] = MappingProxyType(
    {
        "steps": ("T", "time steps", lambda bits: bits.steps),
        "spike": ("Bs", "spike bits", lambda bits: sum(bits.spike_bits) / bits.steps),
        "weight": ("Bw", "weight bits", lambda bits: bits.weight_bits),
    }
)


def difference_chart(layers: Sequence[LayerDifference]) -> LayerChart:
    """The drawing; a layer that a point does not have has no bar there. The bars of the first come first."""
    column = min(max((FULL_WIDTH - LABEL_WIDTH) / max(len(layers), 1), NARROWEST), WIDEST)
    centres = [LABEL_WIDTH + column * (index + 0.5) for index in range(len(layers))]
    base = ROW_HEIGHT * len(QUANTITIES)
    return LayerChart(
        width=LABEL_WIDTH + column * len(layers) + 8,
        height=base + NAMES_HEIGHT,
        rows=tuple(_row(place, kind, layers, column) for place, kind in enumerate(QUANTITIES)),
        names=tuple(zip(centres, (one.layer for one in layers), strict=True)),
        names_y=base + 10,
    )


def _row(place: int, kind: str, layers: Sequence[LayerDifference], column: float) -> BarRow:
    symbol, note, value = QUANTITIES[kind]
    both = [bits for one in layers for bits in (one.a, one.b) if bits is not None]
    top = max((value(bits) for bits in both), default=1.0)
    base = ROW_HEIGHT * (place + 1) - 8
    bars = [
        bar
        for side in (0, 1)
        for index, one in enumerate(layers)
        for bar in _bar(one, side, LABEL_WIDTH + column * index, column, (symbol, value, top, base))
    ]
    return BarRow(kind=kind, label=symbol, note=note, base=base, bars=tuple(bars))


def _bar(
    layer: LayerDifference, side: int, left: float, column: float, row: tuple[str, Value, float, float]
) -> Iterator[Bar]:
    bits = (layer.a, layer.b)[side]
    symbol, value, top, base = row
    if bits is None:
        return
    number = round(value(bits), 1)
    width = column * (1 - 2 * GAP) / 2
    yield Bar(
        x=left + column * GAP + width * side,
        y=base - BAR_HEIGHT * number / top,
        width=width - 1,
        height=BAR_HEIGHT * number / top,
        text=f"{number:g}",
        title=f"{layer.layer}, {('first', 'second')[side]} point: {symbol} {number:g}",
        side=("a", "b")[side],
    )
