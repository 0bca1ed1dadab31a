"""The geometry of bits over epochs: a map for each of T, Bs and Bw, a row per layer, a column per epoch.

Equal bits of epochs that follow one another are one bar. It is drawn on the server as SVG, so that it needs
no script. Places along the epochs are per cent of the width beside the names; heights are in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from service.trajectory.views import TrajectoryView
from service.web.difference_bars import QUANTITIES, Value

ROW_HEIGHT = 15
HEAD_HEIGHT = 24
FAINTEST = 0.12  # opacity of the least value
MARKED = "weight"  # the map that marks changes


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

    kind: str
    label: str
    note: str
    top: float
    height: float
    rows: tuple[LayerRow, ...]
    at: float
    width: float


def trajectory_maps(rows: Sequence[TrajectoryView], chosen: int) -> list[TrajectoryMap]:
    """A map for each quantity; `chosen` is an epoch of the rows."""
    epochs = sorted({row.epoch for row in rows})
    by_layer: dict[str, list[TrajectoryView]] = {}
    for row in rows:
        by_layer.setdefault(row.layer, []).append(row)
    return [_map(kind, by_layer, epochs, chosen) for kind in QUANTITIES]


def _map(
    kind: str, by_layer: Mapping[str, list[TrajectoryView]], epochs: Sequence[int], chosen: int
) -> TrajectoryMap:
    symbol, note, value = QUANTITIES[kind]
    width = 100 / len(epochs)
    place = {epoch: index * width for index, epoch in enumerate(epochs)}
    top = max(value(row.bits) for rows in by_layer.values() for row in rows)
    drawn = tuple(
        LayerRow(
            layer=layer,
            y=HEAD_HEIGHT + ROW_HEIGHT * index,
            spans=tuple(_spans(rows, (symbol, value, top), place, width)),
            changes=tuple(round(place[row.epoch], 3) for row in rows if row.changed and kind == MARKED),
        )
        for index, (layer, rows) in enumerate(by_layer.items())
    )
    return TrajectoryMap(
        kind=kind,
        label=symbol,
        note=note,
        top=top,
        height=HEAD_HEIGHT + ROW_HEIGHT * len(by_layer),
        rows=drawn,
        at=round(place[chosen], 3),
        width=round(width, 3),
    )


def _spans(
    rows: Sequence[TrajectoryView],
    quantity: tuple[str, Value, float],
    place: Mapping[int, float],
    width: float,
) -> Iterator[Span]:
    symbol, value, top = quantity
    for number, group in groupby(rows, key=lambda row: value(row.bits)):
        same = list(group)
        first, last = same[0].epoch, same[-1].epoch
        when = f"epoch {first}" if first == last else f"epochs {first} to {last}"
        yield Span(
            x=round(place[first], 3),
            width=round(place[last] + width - place[first], 3),
            opacity=round(FAINTEST + (1 - FAINTEST) * number / top, 3),
            title=f"{same[0].layer}, {when}: {symbol} {number:.3g}",
        )
