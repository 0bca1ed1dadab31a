"""Figures as SVG files: well-formed, complete, and the same for the same data."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from search.strategies import methods
from service.figures.drawing import MARKERS, figure_svg
from service.figures.table import figure_csv
from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point
from service.web import marks


def point(x: float | str, *values: float) -> FigurePoint:
    found = figure_point(x, dict(enumerate(values)))
    assert found is not None
    return found


def figure(**changes: Any) -> FigureView:
    fields = {
        "key": "validation-accuracy",
        "title": "A & B < C",
        "note": "",
        "kind": "lines",
        "marks": "methods",
        "x_label": "bit_budget",
        "y_label": "accuracy",
        "log_x": True,
        "shares": True,
        "series": [
            FigureSeries(name="gradient", points=[point(2, 0.8, 0.9), point(4, 0.9, 0.92)]),
            FigureSeries(name="uniform", points=[point(2, 0.7)]),
        ],
    }
    return FigureView(**{**fields, **changes})


def texts(found: str) -> list[str]:
    return [text.strip() for text in ET.fromstring(found).itertext() if text.strip()]  # noqa: S314 - our own


def test_title_axes_legend_and_places_are_text():
    found = texts(figure_svg(figure()))
    assert {"A & B < C", "bit_budget", "accuracy", "gradient", "uniform", "2", "4"} <= set(found)


def test_the_same_figure_gives_the_same_file():
    assert figure_svg(figure()) == figure_svg(figure())


def test_bars_name_their_layers_and_many_places_become_a_band():
    bars = figure(
        kind="bars", marks="order", log_x=False, series=[FigureSeries(name="T", points=[point("stem", 2)])]
    )
    assert {"stem", "T"} <= set(texts(figure_svg(bars)))
    many = [point(epoch, 1 / epoch, 2 / epoch) for epoch in range(1, 40)]
    band = figure(log_x=False, shares=False, series=[FigureSeries(name="gradient", points=many)])
    assert "FillBetween" in figure_svg(band)
    assert "FillBetween" not in figure_svg(figure())


def test_a_line_goes_through_the_middle_that_the_figure_names():
    skewed = [FigureSeries(name="gradient", points=[point(2, 0.1, 0.8, 0.9)])]
    by_mean, by_median = (figure_svg(figure(series=skewed, middle=middle)) for middle in ("mean", "median"))
    level = [FigureSeries(name="gradient", points=[point(2, 0.1, 0.6, 0.9)])]  # its mean is its median
    assert by_mean != by_median
    assert by_median != figure_svg(figure(series=level, middle="median"))


@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_a_figure_without_data_is_drawn_empty(kind):
    assert "A & B < C" in texts(figure_svg(figure(kind=kind, series=[])))
    assert "gradient" in texts(
        figure_svg(figure(kind=kind, series=[FigureSeries(name="gradient", points=[])]))
    )


def test_every_series_of_eight_looks_different():
    series = [FigureSeries(name=str(number), points=[]) for number in range(8)]
    found = marks.figure_marks(figure(marks="order", series=series))
    assert len({mark.path for mark in found}) == len({mark.light for mark in found}) == 8
    assert {mark.path for mark in found} <= set(MARKERS)


def test_the_csv_has_a_row_for_each_series_place_and_seed():
    assert figure_csv(figure()).splitlines() == [
        "series,bit_budget,seed,accuracy",
        "gradient,2.0,0,0.8",
        "gradient,2.0,1,0.9",
        "gradient,4.0,0,0.9",
        "gradient,4.0,1,0.92",
        "uniform,2.0,0,0.7",
    ]


def test_every_method_has_a_marker() -> None:
    assert {mark.path for mark in marks.marks([*methods(), "hybrid"]).values()} <= set(MARKERS)
