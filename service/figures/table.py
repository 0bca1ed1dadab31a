"""A figure as CSV: a row per series, place and seed, from which it can be drawn anew."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from service.figures.views import FigureView


def figure_csv(figure: FigureView) -> str:
    """Every value of a figure."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["series", figure.x_label, "seed", figure.y_label])
    writer.writerows(_rows(figure))
    return text.getvalue()


def _rows(figure: FigureView) -> Iterator[tuple[str, float | str, int, float]]:
    for series in figure.series:
        for point in series.points:
            for seed, value in point.values.items():
                yield series.name, point.x, seed, value
