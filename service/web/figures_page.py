"""What the page of a job's figures shows, and how figures reach templates and the chart script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from service.figures.layers import layer_key
from service.figures.reading import best_points, figures_of_job
from service.figures.views import FigurePoint, FigureView
from service.store import Store
from service.views import ENDED_JOB_STATES
from service.web.layer_bars import layer_chart, layer_rows
from service.web.live import Follow
from service.web.marks import figure_marks


def figures_context(store: Store, job_id: str) -> dict[str, Any]:
    """The context of `figures.html`. Raises NotFoundError."""
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        figures = figures_of_job(unit, job)
        best = best_points(unit, job)
    ended = job.state in ENDED_JOB_STATES
    address = f"/v1/jobs/{job.id}/figures"
    drawings = {
        layer_key(budget): {"point": point, "chart": layer_chart(point), "layers": layer_rows(point)}
        for budget, point in best
    }
    part = figures_part(figures, address)
    follow = Follow(jobs=[job_id], epochs=True, ended=ended)
    return {"job": job, "ended": ended, "drawings": drawings, "follow": follow, **part}


def figures_part(figures: Sequence[FigureView], address: str) -> dict[str, Any]:
    """What every page with figures needs: `figures` for its template, `setup` for its script."""
    drawn = [{**figure.model_dump(mode="json"), "looks": looks_of(figure)} for figure in figures]
    return {
        "figures": [
            {"view": figure, "marks": figure_marks(figure), "rows": table_rows(figure)} for figure in figures
        ],
        "figures_address": address,
        "setup": {"page": "figures", "figures": drawn},
    }


def looks_of(figure: FigureView) -> list[Mapping[str, str]]:
    """Colours and symbol of each series, as the chart script reads them."""
    return [asdict(mark) for mark in figure_marks(figure)]


Row = tuple[float | str, list[FigurePoint | None]]


def table_rows(figure: FigureView) -> list[Row]:
    """The table behind a figure: per place, the point of each series or None."""
    by_series = [{point.x: point for point in series.points} for series in figure.series]
    places = dict.fromkeys(point.x for series in figure.series for point in series.points)
    ordered = list(places) if figure.kind == "bars" else sorted(places, key=float)
    return [(x, [points.get(x) for points in by_series]) for x in ordered]
