"""All figures of a job or an ablation, from one transaction of the store."""

from __future__ import annotations

from collections.abc import Sequence

from service.errors import NotFoundError
from service.figures.accuracy import ablation_figures, accuracy_figures
from service.figures.curves import curve_figures
from service.figures.hypervolume import hypervolume_figures
from service.figures.layers import layer_figures
from service.figures.views import FigureView
from service.store import Unit
from service.views import JobView, PointView, objective_of


def figures_of_job(unit: Unit, job: JobView) -> list[FigureView]:
    """Accuracy against the budget, hypervolume against compute, mean bits over epochs, bits of each layer.

    Raises NotFoundError.
    """
    budgets = [entry.budget for entry in job.best]
    return [
        *accuracy_figures(job),
        *hypervolume_figures(unit.comparisons.studies(job.id), budgets, objective_of(job)),
        *curve_figures(unit.curves.of_job(job.id), budgets),
        *layer_figures(best_points(unit, job)),
    ]


def best_points(unit: Unit, job: JobView) -> list[tuple[float, PointView]]:
    """The best point under each budget that has one, by validation score over all methods and seeds."""
    return [(entry.budget, unit.points.get(entry.point_id)) for entry in job.best if entry.point_id]


def figures_of_ablation(unit: Unit, ablation_id: str) -> list[FigureView]:
    """A figure for each group. Raises NotFoundError."""
    return ablation_figures(unit.ablations.get(ablation_id))


def figure_named(figures: Sequence[FigureView], key: str) -> FigureView:
    """The figure with a key. Raises NotFoundError."""
    found = next((figure for figure in figures if figure.key == key), None)
    if found is None:
        keys = ", ".join(figure.key for figure in figures) or "none so far"
        raise NotFoundError(f"there is no figure {key[:80]!r}.", fix=f"There are: {keys}.")
    return found
