"""Accuracy against the budget: of a job's methods, or of the variants of an ablation's group."""

from __future__ import annotations

from collections.abc import Sequence

from service.ablations.views import AblationView, GroupView, VariantView
from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point
from service.views import JobView, StudyView


def accuracy_figures(job: JobView) -> list[FigureView]:
    """Validation accuracy against the budget, and the test accuracy of the same points."""
    methods = list(dict.fromkeys(study.method for study in job.studies))
    return [
        FigureView(
            key=f"{accuracy}-accuracy",
            title=f"{accuracy.capitalize()} accuracy against the budget",
            note="Each seed’s best point by validation accuracy under the budget: mean and range over seeds.",
            kind="lines",
            marks="methods",
            x_label=str(job.spec["budget"]["metric"]),
            y_label=f"{accuracy} accuracy",
            log_x=True,
            shares=True,
            series=[_of_method(job, method, f"{accuracy}_accuracy") for method in methods],
        )
        for accuracy in ("validation", "test")
    ]


def ablation_figures(ablation: AblationView) -> list[FigureView]:
    """Validation accuracy against the budget for each group, one series per variant."""
    metric = str(ablation.spec["job"]["budget"]["metric"])
    return [_of_group(group, metric) for group in ablation.groups]


def _of_method(job: JobView, method: str, accuracy: str) -> FigureSeries:
    studies = [study for study in job.studies if study.method == method]
    found = (_of_budget(studies, entry.budget, accuracy) for entry in job.best)
    return FigureSeries(name=method, points=[point for point in found if point is not None])


def _of_budget(studies: Sequence[StudyView], budget: float, accuracy: str) -> FigurePoint | None:
    best = ((study.seed, entry) for study in studies for entry in study.best if entry.budget == budget)
    values = {seed: getattr(entry, accuracy) for seed, entry in best if entry.point_id is not None}
    return figure_point(budget, values)


def _of_group(group: GroupView, metric: str) -> FigureView:
    return FigureView(
        key=group.key,
        title=group.title,
        note=f"{group.question} Mean and range over seeds of each seed’s best point by validation accuracy.",
        kind="lines",
        marks="order",
        x_label=metric,
        y_label="validation accuracy",
        log_x=True,
        shares=True,
        series=[_of_variant(variant) for variant in group.variants],
    )


def _of_variant(variant: VariantView) -> FigureSeries:
    found = (
        figure_point(result.budget, {one.seed: one.validation_accuracy for one in result.found})
        for result in variant.results
    )
    return FigureSeries(name=variant.name, points=[point for point in found if point is not None])
