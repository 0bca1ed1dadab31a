"""How the hypervolume of each job's front grew, over the samples that it processed or the time that went by.

    HV(t)    the area between the front of the points found by t and the reference, as a share of the whole

The reference is that of the overlay: the greatest of the jobs' references, at score 0, so that jobs compare.
Points count in the order in which they were stored; trials that run side by side so count as they end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from search.pareto import hypervolume, insert
from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point
from service.store import Unit
from service.store.clouds import Choice, Found
from service.views import JobView

Over = Literal["compute", "time"]
PLACES = 40
"""How many places a line has at most; the last is the end."""
LABELS = {"compute": "million samples processed by the job", "time": "hours since the job’s first point"}


def hypervolume_over(unit: Unit, jobs: Sequence[JobView], choice: Choice, *, over: Over) -> FigureView:
    """A line for each job. Raises as an overlay of fronts does."""
    found = [unit.clouds.found(job, choice) for job in jobs]
    reference = unit.clouds.reference(jobs, choice.metric)
    names = [job.name for job in jobs]
    return FigureView(
        key=f"hypervolume-over-{over}",
        title=f"Hypervolume by {choice.metric}, over {over}",
        note=f"The area under each job’s front, up to a {choice.metric} of {reference:g}, as a share of the "
        "whole; chosen methods and seeds together, by validation.",
        kind="lines",
        marks="order",
        x_label=LABELS[over],
        y_label="hypervolume",
        log_x=False,
        shares=True,
        series=[
            FigureSeries(name=_unlike(job, names), points=list(_points(one, reference, over)))
            for job, one in zip(jobs, found, strict=True)
        ],
    )


def _unlike(job: JobView, names: Sequence[str]) -> str:
    return job.name if names.count(job.name) == 1 else f"{job.name} {job.id[-4:]}"


def _points(found: Sequence[Found], reference: float, over: Over) -> Iterator[FigurePoint]:
    """The hypervolume at evenly spread places, and at the last."""
    if not found or reference <= 0:
        return
    at = [one.samples / 1e6 if over == "compute" else one.hours for one in found]
    front: list[tuple[float, float]] = []
    due, step = at[0], (at[-1] - at[0]) / PLACES
    for number, (place, one) in enumerate(zip(at, found, strict=True)):
        front = insert(front, (one.cost, one.score))
        last = number == len(found) - 1
        if last or (at[number + 1] > due and place < at[number + 1]):
            point = figure_point(float(f"{place:.4g}"), {0: _area(front, reference)})
            due = max(due + step, place)
            if point is not None:
                yield point


def _area(front: Sequence[tuple[float, float]], reference: float) -> float:
    return hypervolume([cost for cost, _ in front], [score for _, score in front], reference)
