"""The points of a cloud as the chart script reads them: a column for each field, a fifth of the size of rows.

What is drawn has nine significant digits; what only places a line of the parallel coordinates has four.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from service.clouds.views import CloudPoint, CloudView

PLAIN: tuple[str, ...] = ("id", "seed")
DRAWN: tuple[str, ...] = ("cost", "score", "test_score")
FLAGS: tuple[str, ...] = ("feasible", "on_front", "on_own_front")
MEANS: tuple[str, ...] = ("mean_weight_bits", "mean_spike_bits", "mean_steps")


def cloud_columns(cloud: CloudView) -> dict[str, Any]:
    """The cloud with its `points` as columns; methods and jobs are places in `methods` and `jobs`."""
    points = cloud.points
    methods = _place(cloud.methods)
    jobs = _place([job.job_id for job in cloud.jobs])
    columns = {
        **{name: _column(points, name) for name in PLAIN},
        **{name: _column(points, name, _rounded(9)) for name in DRAWN},
        **{name: _column(points, name, int) for name in FLAGS},
        **{name: _column(points, name, _rounded(4)) for name in MEANS},
        "method": [methods[point.method] for point in points],
        "job_id": [jobs[point.job_id] for point in points],
        "costs": {metric: _costs(points, metric) for metric in cloud.metrics},
    }
    return {**cloud.model_dump(mode="json", exclude={"points"}), "points": columns}


def _place(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _column(
    points: Sequence[CloudPoint], name: str, change: Callable[[Any], Any] = lambda value: value
) -> list[Any]:
    return [change(getattr(point, name)) for point in points]


def _costs(points: Sequence[CloudPoint], metric: str) -> list[float | None]:
    digits = _rounded(4)
    return [digits(point.costs.get(metric)) for point in points]


def _rounded(digits: int) -> Callable[[float | None], float | None]:
    """To so many significant digits."""
    return lambda value: None if value is None else float(f"{value:.{digits}g}")
