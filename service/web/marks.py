"""One colour and one symbol per method, so that no reader has to tell them apart by colour alone.

The colours are those of Okabe and Ito, which stay apart in the common kinds of colour blindness. The symbols
are SVG paths in a box of 24 units: pages draw them in tables, charts as symbols of points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import cycle
from types import MappingProxyType
from typing import Any

from service.figures.views import FigureView

CIRCLE = "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z"
TRIANGLE = "M12 2.5L22.5 21H1.5z"
DIAMOND = "M12 1L23 12L12 23L1 12z"
SQUARE = "M3.5 3.5H20.5V20.5H3.5z"
CROSS = "M5.5 2L12 8.5L18.5 2L22 5.5L15.5 12L22 18.5L18.5 22L12 15.5L5.5 22L2 18.5L8.5 12L2 5.5z"
PENTAGON = "M12 1.5L22.7 9.3L18.6 21.8H5.4L1.3 9.3z"
STAR = "M12 .8L15 8.7L23.4 9.1L16.8 14.4L19 22.5L12 17.9L5 22.5L7.2 14.4L.6 9.1L9 8.7z"
PLUS = "M8.5 1.5H15.5V8.5H22.5V15.5H15.5V22.5H8.5V15.5H1.5V8.5H8.5z"
POINT_DOWN = "M12 21.5L1.5 3H22.5z"
THIN_DIAMOND = "M12 .5L17 12L12 23.5L7 12z"
POINT_LEFT = "M2.5 12L21 1.5V22.5z"
POINT_RIGHT = "M21.5 12L3 1.5V22.5z"
HEXAGON = "M12 1.5L21.5 6.7V17.3L12 22.5L2.5 17.3V6.7z"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How a method looks: a colour on light ground, one on dark ground, and the path of its symbol."""

    light: str
    dark: str
    path: str


UNIFORM = Mark(light="#3a3f45", dark="#d8dce0", path=CROSS)
_KNOWN: Mapping[str, Mark] = MappingProxyType(
    {
        "gradient": Mark(light="#0072B2", dark="#3d9fd8", path=CIRCLE),
        "gradient-front": Mark(light="#8c510a", dark="#d8b365", path=PLUS),
        "gradient-targets": Mark(light="#56B4E9", dark="#56B4E9", path=POINT_DOWN),
        "optuna-tpe": Mark(light="#E69F00", dark="#E69F00", path=TRIANGLE),
        "optuna-nsga2": Mark(light="#009E73", dark="#1fb88c", path=DIAMOND),
        "optuna-gp": Mark(light="#7a6a00", dark="#F0E442", path=PENTAGON),
        "evolution-warm": Mark(light="#5e3c99", dark="#b2a1e0", path=HEXAGON),
        "random": Mark(light="#CC79A7", dark="#CC79A7", path=SQUARE),
        "hybrid": Mark(light="#D55E00", dark="#ee7a22", path=STAR),
        "hybrid-front": Mark(light="#a50026", dark="#f4737f", path=POINT_RIGHT),
        "hybrid-uniform": Mark(light="#4d6a6d", dark="#8fb3b6", path=POINT_LEFT),
        "uniform": UNIFORM,
        "uniform-front": Mark(light="#7d8791", dark="#9aa5b1", path=THIN_DIAMOND),
    }
)
_OTHERS = (
    Mark(light="#D55E00", dark="#ee7a22", path=PENTAGON),
    Mark(light="#56B4E9", dark="#56B4E9", path=STAR),
    Mark(light="#009E73", dark="#1fb88c", path=POINT_DOWN),
    Mark(light="#CC79A7", dark="#CC79A7", path=PENTAGON),
)
"""For methods of installed packages, in the order in which a job names them."""


def marks(methods: Iterable[str]) -> dict[str, Mark]:
    """The mark of each method of a job."""
    others = iter(_OTHERS * 4)
    return {method: _KNOWN.get(method) or next(others, UNIFORM) for method in methods}


_BY_ORDER = (
    UNIFORM,
    Mark(light="#0072B2", dark="#3d9fd8", path=CIRCLE),
    Mark(light="#E69F00", dark="#E69F00", path=TRIANGLE),
    Mark(light="#009E73", dark="#1fb88c", path=DIAMOND),
    Mark(light="#CC79A7", dark="#CC79A7", path=SQUARE),
    Mark(light="#D55E00", dark="#ee7a22", path=STAR),
    Mark(light="#56B4E9", dark="#56B4E9", path=POINT_DOWN),
    Mark(light="#7a6a00", dark="#F0E442", path=PENTAGON),
)
_BARS = (
    Mark(light="#0072b2", dark="#3d9fd8", path=SQUARE),
    Mark(light="#009e73", dark="#1fb88c", path=CIRCLE),
    Mark(light="#d55e00", dark="#ee7a22", path=DIAMOND),
)
"""Time steps, spike bits and weight bits, as the style sheet has them."""


def figure_marks(figure: FigureView) -> list[Mark]:
    """The mark of each series of a figure."""
    if figure.marks == "methods":
        return list(marks(series.name for series in figure.series).values())
    chosen = cycle(_BARS if figure.kind == "bars" else _BY_ORDER)
    return [next(chosen) for _ in figure.series]


def marks_json(found: Mapping[str, Mark]) -> list[dict[str, Any]]:
    """The marks as the chart reads them."""
    return [{"method": method, **asdict(mark)} for method, mark in found.items()]
