"""The heat map below the bars of a point: a row each for T, the spike bits of every step, and Bw.

A cell is the darker the nearer its value is to the greatest of its quantity; a step that a layer does not
take has none. All lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from models.allocation import LayerBits

HEAT_HEIGHT = 24  # of a row
FAINTEST, DARKEST = 0.06, 0.55  # opacities: the numbers on the cells stay readable
Layers = Sequence[tuple[str, LayerBits]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatCell:
    """One value of one layer."""

    x: float
    opacity: float
    text: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRow:
    """One quantity, or one step of it; `kind` names its colour."""

    kind: str
    label: str
    y: float
    cells: tuple[HeatCell, ...]


def heat_rows(layers: Layers, *, top: float, left: float, column: float) -> tuple[HeatRow, ...]:
    """The rows from `top` on; the first layer's column begins at `left`."""
    return tuple(
        HeatRow(
            kind=quantity.kind,
            label=quantity.label,
            y=top + HEAT_HEIGHT * place,
            cells=tuple(_cells(layers, quantity, left, column)),
        )
        for place, quantity in enumerate(_quantities(layers))
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Quantity:
    """A value for each layer, None where it has none, and the greatest of the quantity, which is never 0."""

    kind: str
    label: str
    values: Sequence[float | None]
    greatest: float


def _quantities(layers: Layers) -> Iterator[_Quantity]:
    bits = [one for _, one in layers]
    steps = [float(one.steps) for one in bits]
    yield _Quantity(kind="steps", label="T", values=steps, greatest=max(steps, default=1.0))
    greatest = float(max((max(one.spike_bits) for one in bits), default=1))
    for step in range(int(max(steps, default=0))):
        values = [next(islice(map(float, one.spike_bits), step, None), None) for one in bits]
        yield _Quantity(kind="spike", label=f"Bs, step {step + 1}", values=values, greatest=greatest)
    weights = [round(one.mean_weight_bits, 1) for one in bits]
    yield _Quantity(kind="weight", label="Bw", values=weights, greatest=max(weights, default=1.0))


def _cells(layers: Layers, quantity: _Quantity, left: float, column: float) -> Iterator[HeatCell]:
    for index, ((layer, _), value) in enumerate(zip(layers, quantity.values, strict=True)):
        if value is not None:
            yield HeatCell(
                x=left + column * index,
                opacity=round(FAINTEST + (DARKEST - FAINTEST) * value / quantity.greatest, 3),
                text=f"{value:g}",
                title=f"{layer}: {quantity.label} {value:g}",
            )
