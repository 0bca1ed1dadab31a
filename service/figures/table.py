"""A figure as CSV: a row per series, place and seed, from which it can be drawn anew."""

from __future__ import annotations

from collections.abc import Iterator

from service.csv_text import csv_text
from service.figures.views import FigureView


def figure_csv(figure: FigureView) -> str:
    """Every value of a figure."""
    return csv_text(["series", figure.x_label, "seed", figure.y_label], _rows(figure))


def _rows(figure: FigureView) -> Iterator[tuple[str, float | str, int, float]]:
    for series in figure.series:
        for point in series.points:
            for seed, value in point.values.items():
                yield series.name, point.x, seed, value
