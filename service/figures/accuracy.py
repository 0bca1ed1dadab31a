"""The objective against the budget: of a job's methods, or of the variants of an ablation's group."""

from __future__ import annotations

from collections.abc import Sequence

from search.objective import likelihood_note, measure_name
from service.ablations.views import AblationView, GroupView, VariantView
from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point
from service.views import JobView, StudyView, objective_of


def accuracy_figures(job: JobView) -> list[FigureView]:
    """The validation objective against the budget, and the test value of the same points."""
    measure = measure_name(objective_of(job))
    methods = list(dict.fromkeys(study.method for study in job.studies))
    return [
        FigureView(
            key=f"{split}-{measure.replace(' ', '-')}",
            title=f"{split.capitalize()} {measure} against the budget",
            note=f"Each seed’s best point by validation {measure} under the budget: mean and range over "
            "seeds." + likelihood_note(objective_of(job)),
            kind="lines",
            marks="methods",
            x_label=str(job.spec["budget"]["metric"]),
            y_label=f"{split} {measure}",
            log_x=True,
            shares=True,
            series=[_of_method(job, method, score) for method in methods],
        )
        for split, score in (("validation", "score"), ("test", "test_score"))
    ]


def ablation_figures(ablation: AblationView) -> list[FigureView]:
    """The validation objective against the budget for each group, one series per variant."""
    job = ablation.spec["job"]
    measure = measure_name(job.get("objective", "accuracy"))
    return [_of_group(group, str(job["budget"]["metric"]), measure) for group in ablation.groups]


def _of_method(job: JobView, method: str, score: str) -> FigureSeries:
    studies = [study for study in job.studies if study.method == method]
    found = (_of_budget(studies, entry.budget, score) for entry in job.best)
    return FigureSeries(name=method, points=[point for point in found if point is not None])


def _of_budget(studies: Sequence[StudyView], budget: float, score: str) -> FigurePoint | None:
    best = ((study.seed, entry) for study in studies for entry in study.best if entry.budget == budget)
    values = {seed: getattr(entry, score) for seed, entry in best if entry.point_id is not None}
    return figure_point(budget, values)


def _of_group(group: GroupView, metric: str, measure: str) -> FigureView:
    return FigureView(
        key=group.key,
        title=group.title,
        note=f"{group.question} Mean and range over seeds of each seed’s best point by validation {measure}.",
        kind="lines",
        marks="order",
        x_label=metric,
        y_label=f"validation {measure}",
        log_x=True,
        shares=True,
        series=[_of_variant(variant) for variant in group.variants],
    )


def _of_variant(variant: VariantView) -> FigureSeries:
    found = (
        figure_point(result.budget, {one.seed: one.score for one in result.found})
        for result in variant.results
    )
    return FigureSeries(name=variant.name, points=[point for point in found if point is not None])
