"""Figures as SVG files, drawn by matplotlib without a browser: light, with a legend, text kept as text."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.errors import BitfrontError
from service.figures.views import FigurePoint, FigureSeries, FigureView
from service.web import marks

if TYPE_CHECKING:  # an extra, which takes a moment to import
    from matplotlib.axes import Axes

MARKERS: Mapping[str, str] = {
    marks.CIRCLE: "o",
    marks.TRIANGLE: "^",
    marks.DIAMOND: "D",
    marks.SQUARE: "s",
    marks.CROSS: "X",
    marks.PENTAGON: "p",
    marks.STAR: "*",
    marks.POINT_DOWN: "v",
    marks.POINT_LEFT: "<",
    marks.POINT_RIGHT: ">",
    marks.HEXAGON: "H",
    marks.PLUS: "P",
    marks.THIN_DIAMOND: "d",
}
STYLE: dict[Any, object] = {
    "svg.fonttype": "none",  # letters stay letters, to be searched and edited
    "svg.hashsalt": "bitfront",  # the same figure gives the same file
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
WIDTH, HEIGHT, COLUMN = 6.0, 3.6, 0.36  # inches
DODGE, EPOCH = 0.012, 5
"""Between series at one place, so that no range hides another: a share of it, or EPOCH times as much."""
MOST_RANGES = 24
"""Places up to which a figure draws each range as a bar of its own; with more, ranges become bands."""


def figure_svg(figure: FigureView) -> str:
    """A figure as the text of an SVG file. Raises BitfrontError where matplotlib is not installed."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise BitfrontError(
            "figures are drawn by matplotlib, which is not installed.",
            fix="Install it with `pip install 'bitfront[figures]'`, or ask for --csv-only.",
        ) from None
    with mpl.rc_context(STYLE):
        canvas = Figure(figsize=(_width(figure), HEIGHT), layout="constrained")
        _fill(canvas.add_subplot(), figure)
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": "Bitfront"})
    return text.getvalue()


def _width(figure: FigureView) -> float:
    """Bars get a column for each layer."""
    layers = max((len(series.points) for series in figure.series), default=0)
    return max(WIDTH, COLUMN * layers) if figure.kind == "bars" else WIDTH


def _fill(axes: Axes, figure: FigureView) -> None:
    axes.set(title=figure.title, xlabel=figure.x_label, ylabel=figure.y_label)
    axes.grid(axis="y", color="#dfe3e7", linewidth=0.7)
    axes.set_axisbelow(True)
    if figure.kind == "bars":
        _bars(axes, figure)
    else:
        _lines(axes, figure)
    if figure.series:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _lines(axes: Axes, figure: FigureView) -> None:
    from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter

    for index, (series, mark) in enumerate(zip(figure.series, marks.figure_marks(figure), strict=True)):
        away = DODGE * (index - (len(figure.series) - 1) / 2)
        _line(axes, figure, series, mark, away)
    if figure.shares:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    if not figure.log_x:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if figure.log_x and any(series.points for series in figure.series):
        places = sorted({_number(point.x) for series in figure.series for point in series.points})
        axes.set_xscale("log")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())


def _line(axes: Axes, figure: FigureView, series: FigureSeries, mark: marks.Mark, away: float) -> None:
    places = [_number(point.x) for point in series.points]
    xs = [place * (1 + away) if figure.log_x else place + EPOCH * away for place in places]
    middles = [point.spread.middle(figure.middle) for point in series.points]
    below, above = list(_reach(series.points, middles, -1)), list(_reach(series.points, middles, 1))
    marker = MARKERS[mark.path]
    if not _many_places(figure):
        axes.errorbar(
            xs, middles, [below, above], label=series.name, color=mark.light, marker=marker, capsize=2.5
        )
        return
    axes.plot(xs, middles, label=series.name, color=mark.light, marker=marker, markevery=0.1)
    low = [point.spread.least for point in series.points]
    high = [point.spread.greatest for point in series.points]
    axes.fill_between(xs, low, high, color=mark.light, alpha=0.15, linewidth=0)


def _many_places(figure: FigureView) -> bool:
    return any(len(series.points) > MOST_RANGES for series in figure.series)


def _bars(axes: Axes, figure: FigureView) -> None:
    width = 0.8 / max(len(figure.series), 1)
    hatches = ("", "///", "...")
    for place, (series, mark) in enumerate(zip(figure.series, marks.figure_marks(figure), strict=True)):
        xs = [index + (place + 0.5) * width - 0.4 for index in range(len(series.points))]
        heights = [point.spread.mean for point in series.points]
        hatch = hatches[place % len(hatches)]
        axes.bar(xs, heights, width, label=series.name, color=mark.light, hatch=hatch, edgecolor="white")
    names = [str(point.x) for point in figure.series[0].points] if figure.series else []
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)


def _reach(points: Sequence[FigurePoint], middles: Sequence[float], sign: int) -> Iterator[float]:
    """How far the range reaches from each middle, below (-1) or above (1)."""
    for point, middle in zip(points, middles, strict=True):
        end = point.spread.greatest if sign > 0 else point.spread.least
        yield max(0.0, sign * (end - middle))


def _number(x: float | str) -> float:
    assert not isinstance(x, str)  # noqa: S101 - lines have numbers, bars have names
    return x
