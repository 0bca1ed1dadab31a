"""The comparison of a job from its studies, as people see it."""

from __future__ import annotations

from collections.abc import Sequence

from search.comparison import Comparison, MethodResult, Pair, StudyRecord, compare
from search.comparison.attained import best_under, history
from search.job import JobSpec
from service.comparison.subject import subject_of
from service.comparison.views import (
    Accuracy,
    AtBudgetView,
    ChosenView,
    ComparisonView,
    CurvePointView,
    IntervalView,
    MethodView,
    PairView,
    SeedView,
    StepView,
)


def comparison_of(
    job_id: str,
    spec: JobSpec,
    studies: Sequence[StudyRecord],
    *,
    subject: str | None = None,
    accuracy: Accuracy = "test",
) -> ComparisonView:
    """The methods of a job against one of them. Raises UnknownNameError for another subject."""
    found = compare(
        studies,
        budgets=budgets_of(spec),
        subject=subject or subject_of(spec.all_methods()),
        accuracy=accuracy,
    )
    return ComparisonView(
        job_id=job_id,
        metric=spec.budget.metric,
        budgets=list(found.budgets),
        accuracy=found.accuracy,
        subject=found.subject,
        verdict=found.verdict,
        refusal=found.refusal,
        methods=[_method_view(one, found, studies) for one in found.methods],
        pairs=[_pair_view(pair, found.refusal) for pair in found.pairs],
    )


def budgets_of(spec: JobSpec) -> tuple[float, ...]:
    """The budgets of a job, the least first."""
    return tuple(limit.maximum for limit in spec.budgets())


def _method_view(result: MethodResult, found: Comparison, studies: Sequence[StudyRecord]) -> MethodView:
    own = [study for study in studies if study.method == result.method]
    return MethodView(
        method=result.method,
        share=max(study.share for study in own),
        samples=result.samples,
        seconds=result.seconds,
        device_seconds=result.device_seconds,
        hypervolume=IntervalView.model_validate(result.hypervolume, from_attributes=True),
        curve=[CurvePointView.model_validate(one, from_attributes=True) for one in result.curve],
        at_budgets=[AtBudgetView.model_validate(one, from_attributes=True) for one in result.at_budgets],
        seeds=[
            _seed_view(study, volume, found) for study, volume in zip(own, result.hypervolumes, strict=True)
        ],
    )


def _seed_view(study: StudyRecord, hypervolume: float, found: Comparison) -> SeedView:
    steps = history(study.found, found.budgets, found.accuracy)
    return SeedView(
        seed=study.seed,
        share=study.share,
        samples=study.samples,
        seconds=study.seconds,
        device_seconds=study.device_seconds,
        finished=study.finished,
        hypervolume=hypervolume,
        history=[StepView(samples=one.samples, hypervolume=one.hypervolume) for one in steps],
        chosen=[_chosen_view(study, budget) for budget in found.budgets],
    )


def _chosen_view(study: StudyRecord, budget: float) -> ChosenView:
    best = best_under(study.found, budget)
    return ChosenView(
        budget=budget,
        cost=best and best.cost,
        validation_accuracy=best and best.validation_accuracy,
        test_accuracy=best and best.test_accuracy,
        samples=best and best.samples,
    )


def _pair_view(pair: Pair, refusal: str | None) -> PairView:
    """A pair; a script that reads no more than its outcome must not take a refused one for a verdict."""
    view = PairView.model_validate(pair, from_attributes=True)
    return view if refusal is None else view.model_copy(update={"outcome": "refused", "seeds_needed": None})
