"""A figure as data: series of points, each with a value per seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from service.spread import Middle, Spread, spread_of
from service.views import View


class FigurePoint(View):
    """What the seeds of a series have at one place; `values` is by seed."""

    x: float | str  # a place on the axis, or the name of a layer
    values: dict[int, float]
    spread: Spread


class FigureSeries(View):
    """One line, or one kind of bar."""

    name: str
    points: list[FigurePoint]


class FigureView(View):
    """A figure; `marks` says by what its series look: the method that each is named after, or their order.

    `middle` is what a line goes through: the mean or the median over seeds.
    """

    key: str  # letters, digits, '.' and '-'
    title: str
    note: str
    kind: Literal["lines", "bars"]
    marks: Literal["methods", "order"]
    middle: Middle = "mean"
    x_label: str
    y_label: str
    log_x: bool
    shares: bool  # the values are shares, shown in per cent
    series: list[FigureSeries]


def figure_point(x: float | str, values: Mapping[int, float]) -> FigurePoint | None:
    """A point from its values by seed; None without any."""
    spread = spread_of(values.values())
    return None if spread is None else FigurePoint(x=x, values=dict(values), spread=spread)
