"""Hypervolume of the front against compute, for each method of a job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search.comparison import Accuracy, StudyRecord
from search.comparison.attained import Moment, history, hypervolume_after
from search.objective import Objective, measure_name
from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point

STEP = 2  # per cent of a study's compute
ACCURACIES: tuple[Accuracy, ...] = ("test", "validation")


def hypervolume_figures(
    studies: Sequence[StudyRecord], budgets: Sequence[float], objective: Objective = "accuracy"
) -> list[FigureView]:
    """By the test score of the points that validation chose, and by validation score itself."""
    return [hypervolume_figure(studies, budgets, accuracy, objective) for accuracy in ACCURACIES]


def hypervolume_figure(
    studies: Sequence[StudyRecord],
    budgets: Sequence[float],
    accuracy: Accuracy,
    objective: Objective = "accuracy",
) -> FigureView:
    """The median and the range over seeds, in the order in which the job names its methods."""
    measure = measure_name(objective)
    methods = dict.fromkeys(study.method for study in studies)
    return FigureView(
        key=f"{accuracy}-hypervolume-over-compute",
        title=f"Hypervolume by {accuracy} {measure}, against compute",
        note=f"The best {measure} averaged over the budgets: median and range over seeds, from where every "
        "seed has a point.",
        kind="lines",
        marks="methods",
        middle="median",
        x_label="compute of a study, %",
        y_label="hypervolume",
        log_x=False,
        shares=True,
        series=[
            FigureSeries(name=method, points=list(_points(_of(method, studies), budgets, accuracy)))
            for method in methods
        ],
    )


def _of(method: str, studies: Sequence[StudyRecord]) -> list[StudyRecord]:
    return [study for study in studies if study.method == method]


def _points(
    studies: Sequence[StudyRecord], budgets: Sequence[float], accuracy: Accuracy
) -> Iterator[FigurePoint]:
    """Only where every seed has a point: the zeros before would press all that follows together."""
    moments = {study.seed: history(study.found, budgets, accuracy) for study in studies}
    for percent in range(STEP, 100 + STEP, STEP):
        values = {study.seed: _after(percent, study, moments[study.seed]) for study in studies}
        point = figure_point(percent, values)
        if point is not None and point.spread.least > 0:
            yield point


def _after(percent: int, study: StudyRecord, moments: Sequence[Moment]) -> float:
    return hypervolume_after(moments, percent / 100 * max(study.share, study.samples))
