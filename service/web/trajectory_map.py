"""The geometry of bits over epochs: a map for each of T, Bs, Bw and the renewals of step sizes.

A map has a row per layer and a column per epoch. Equal numbers of epochs that follow one another are one bar;
where nothing was renewed there is none. It is drawn on the server as SVG, so that it needs
no script. Places along the epochs are per cent of the width beside the names; heights are in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from service.trajectory.views import TrajectoryView
from service.web.difference_bars import QUANTITIES, Value

ROW_HEIGHT = 15
HEAD_HEIGHT = 24
FAINTEST = 0.12  # opacity of the least value
MARKED = "weight"  # the map that marks changes
ByLayer = Mapping[str, Sequence[TrajectoryView]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """What a map shows, and its greatest value over all layers and epochs."""

    kind: str
    symbol: str
    note: str
    value: Callable[[TrajectoryView], float]
    top: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Epochs of a layer with the same value."""

    x: float
    width: float
    opacity: float
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerRow:
    """One layer of a map; `changes` are the places of epochs in which its bits changed."""

    layer: str
    y: float
    spans: tuple[Span, ...]
    changes: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrajectoryMap:
    """One quantity over all layers; `at` is the place of the chosen epoch, `width` that of a column."""

    quantity: Quantity
    height: float
    rows: tuple[LayerRow, ...]
    at: float
    width: float


def trajectory_maps(rows: Sequence[TrajectoryView], chosen: int) -> list[TrajectoryMap]:
    """A map for each quantity that is known; `chosen` is an epoch of the rows."""
    epochs = sorted({row.epoch for row in rows})
    by_layer: dict[str, list[TrajectoryView]] = {}
    for row in rows:
        by_layer.setdefault(row.layer, []).append(row)
    return [_map(quantity, by_layer, epochs, chosen) for quantity in _quantities(rows)]


def _quantities(rows: Sequence[TrajectoryView]) -> Iterator[Quantity]:
    for kind, (symbol, note, value) in QUANTITIES.items():
        top = max(value(row.bits) for row in rows)
        yield Quantity(kind=kind, symbol=symbol, note=note, value=_of_bits(value), top=top)
    if any(row.renewals is not None for row in rows):
        most = max(row.renewals or 0 for row in rows)
        yield Quantity(
            kind="renewals",
            symbol="R",
            note="renewals of step sizes in the epoch",
            value=lambda row: row.renewals or 0,
            top=most,
        )


def _of_bits(value: Value) -> Callable[[TrajectoryView], float]:
    return lambda row: value(row.bits)


def _map(quantity: Quantity, by_layer: ByLayer, epochs: Sequence[int], chosen: int) -> TrajectoryMap:
    width = 100 / len(epochs)
    place = {epoch: index * width for index, epoch in enumerate(epochs)}
    drawn = tuple(
        LayerRow(
            layer=layer,
            y=HEAD_HEIGHT + ROW_HEIGHT * index,
            spans=tuple(_spans(rows, quantity, place, width)),
            changes=tuple(_changes(rows, place)) if quantity.kind == MARKED else (),
        )
        for index, (layer, rows) in enumerate(by_layer.items())
    )
    return TrajectoryMap(
        quantity=quantity,
        height=HEAD_HEIGHT + ROW_HEIGHT * len(by_layer),
        rows=drawn,
        at=round(place[chosen], 3),
        width=round(width, 3),
    )


def _spans(
    rows: Sequence[TrajectoryView], quantity: Quantity, place: Mapping[int, float], width: float
) -> Iterator[Span]:
    for number, group in groupby(rows, key=quantity.value):
        same = list(group)
        if not number:
            continue
        first, last = same[0].epoch, same[-1].epoch
        when = f"epoch {first}" if first == last else f"epochs {first} to {last}"
        yield Span(
            x=round(place[first], 3),
            width=round(place[last] + width - place[first], 3),
            opacity=round(FAINTEST + (1 - FAINTEST) * number / quantity.top, 3),
            title=f"{same[0].layer}, {when}: {quantity.symbol} {number:.3g}",
        )


def _changes(rows: Sequence[TrajectoryView], place: Mapping[int, float]) -> Iterator[float]:
    return (round(place[row.epoch], 3) for row in rows if row.changed)
