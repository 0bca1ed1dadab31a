"""The geometry of the layer chart of a point: one row of bars each for T, Bs and Bw, one bar per layer.

Below them stands the same as a heat map, with the spike bits of each step (`layer_heat`). It is
drawn on the server as SVG, so that it needs no script. All lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.allocation import Allocation, LayerBits
from service.views import PointView
from service.web.layer_heat import HEAT_HEIGHT, HeatRow, heat_rows

ROW_HEIGHT = 84
BAR_HEIGHT = 52  # of the greatest value of a row
LABEL_WIDTH = 116
NAMES_HEIGHT = 92
NARROWEST, WIDEST = 20, 46  # of a layer's column
FULL_WIDTH = 960
HEAT_GAP = 10  # between the bars and the heat map
GAP = 0.16  # on each side of a bar, as a share of its column


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One value of one layer."""

    x: float
    y: float
    width: float
    height: float
    text: str
    title: str
    side: str = "a"  # of two points beside each other: the first or the second


@dataclass(frozen=True, kw_only=True, slots=True)
class BarRow:
    """One quantity over all layers; `kind` names its colour, `base` is where its bars stand."""

    kind: str
    label: str
    note: str
    base: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerChart:
    """The whole drawing; `names` are (x, layer name), `column` the width that each has."""

    width: float
    height: float
    rows: tuple[BarRow, ...]
    names: tuple[tuple[float, str], ...]
    names_y: float
    column: float = 0.0
    heat: tuple[HeatRow, ...] = ()


def layer_chart(point: PointView) -> LayerChart:
    """The drawing of a point's allocation."""
    layers = tuple(Allocation.from_json(point.allocation))
    column = min(max((FULL_WIDTH - LABEL_WIDTH) / max(len(layers), 1), NARROWEST), WIDEST)
    rows = tuple(_row(place, values, layers, column) for place, values in enumerate(_quantities(layers)))
    centres = [LABEL_WIDTH + column * (index + 0.5) for index in range(len(layers))]
    heat = heat_rows(layers, top=ROW_HEIGHT * len(rows) + HEAT_GAP, left=LABEL_WIDTH, column=column)
    base = ROW_HEIGHT * len(rows) + HEAT_GAP + HEAT_HEIGHT * len(heat)
    return LayerChart(
        width=LABEL_WIDTH + column * len(layers) + 8,
        height=base + NAMES_HEIGHT,
        rows=rows,
        names=tuple(zip(centres, (name for name, _ in layers), strict=True)),
        names_y=base + 10,
        column=column,
        heat=heat,
    )


def layer_rows(point: PointView) -> list[Mapping[str, str]]:
    """The same as text, for the table: layer, T, Bs (per step where steps differ), Bw."""
    return [
        {
            "layer": name,
            "steps": str(bits.steps),
            "spike": spikes_text(bits.spike_bits),
            "weight": bits.weight_text,
        }
        for name, bits in Allocation.from_json(point.allocation)
    ]


Values = tuple[str, str, str, Sequence[float]]
Layers = Sequence[tuple[str, LayerBits]]


def _quantities(layers: Layers) -> tuple[Values, ...]:
    """(kind, symbol, name, a value per layer) of each row."""
    bits = [layer for _, layer in layers]
    return (
        ("steps", "T", "time steps", [one.steps for one in bits]),
        ("spike", "Bs", "spike bits", [one.mean_spike_bits for one in bits]),
        ("weight", "Bw", "weight bits", [round(one.mean_weight_bits, 1) for one in bits]),
    )


def _row(place: int, values: Values, layers: Layers, column: float) -> BarRow:
    kind, symbol, name, numbers = values
    top = max(numbers, default=1)
    base = ROW_HEIGHT * (place + 1) - 8
    titles = [f"{layer}: {symbol} {_detail(kind, bits)}" for layer, bits in layers]
    bars = tuple(
        Bar(
            x=LABEL_WIDTH + column * (index + GAP),
            y=base - BAR_HEIGHT * number / top,
            width=column * (1 - 2 * GAP),
            height=BAR_HEIGHT * number / top,
            text=f"{number:g}",
            title=title,
        )
        for index, (number, title) in enumerate(zip(numbers, titles, strict=True))
    )
    return BarRow(kind=kind, label=symbol, note=name, base=base, bars=bars)


def _detail(kind: str, bits: LayerBits) -> str:
    return {"steps": str(bits.steps), "spike": spikes_text(bits.spike_bits), "weight": bits.weight_text}[kind]


def spikes_text(spike_bits: Sequence[int]) -> str:
    """One number where every step has the same spike bits, else one per step."""
    same = len(set(spike_bits)) == 1
    return str(spike_bits[0]) if same else ", ".join(str(step) for step in spike_bits)
