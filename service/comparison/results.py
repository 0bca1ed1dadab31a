"""The comparison of a job from its studies, as people see it."""

from __future__ import annotations

from collections.abc import Sequence

from search.comparison import AtBudget, Comparison, MethodResult, Pair, StudyRecord, compare
from search.comparison.attained import best_under, history
from search.job import JobSpec
from search.objective import Objective
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
        objective=spec.objective,
        budgets=list(found.budgets),
        accuracy=found.accuracy,
        subject=found.subject,
        verdict=found.verdict,
        refusal=found.refusal,
        methods=[_method_view(one, found, studies, spec.objective) for one in found.methods],
        pairs=[_pair_view(pair, found.refusal) for pair in found.pairs],
    )


def budgets_of(spec: JobSpec) -> tuple[float, ...]:
    """The budgets of a job, the least first."""
    return tuple(limit.maximum for limit in spec.budgets())


def _method_view(
    result: MethodResult, found: Comparison, studies: Sequence[StudyRecord], objective: Objective
) -> MethodView:
    own = [study for study in studies if study.method == result.method]
    return MethodView(
        method=result.method,
        share=max(study.share for study in own),
        samples=result.samples,
        seconds=result.seconds,
        device_seconds=result.device_seconds,
        hypervolume=IntervalView.model_validate(result.hypervolume, from_attributes=True),
        curve=[CurvePointView.model_validate(one, from_attributes=True) for one in result.curve],
        at_budgets=[_at_budget_view(one, objective) for one in result.at_budgets],
        seeds=[
            _seed_view(study, volume, found, objective)
            for study, volume in zip(own, result.hypervolumes, strict=True)
        ],
    )


def _at_budget_view(found: AtBudget, objective: Objective) -> AtBudgetView:
    score = found.score and IntervalView.model_validate(found.score, from_attributes=True)
    accuracy = score if objective == "accuracy" else None
    return AtBudgetView(budget=found.budget, score=score, accuracy=accuracy, missing=found.missing)


def _seed_view(study: StudyRecord, hypervolume: float, found: Comparison, objective: Objective) -> SeedView:
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
        chosen=[_chosen_view(study, budget, objective) for budget in found.budgets],
    )


def _chosen_view(study: StudyRecord, budget: float, objective: Objective) -> ChosenView:
    best = best_under(study.found, budget)
    accurate = best if objective == "accuracy" else None
    return ChosenView(
        budget=budget,
        cost=best and best.cost,
        score=best and best.score,
        test_score=best and best.test_score,
        validation_accuracy=accurate and accurate.score,
        test_accuracy=accurate and accurate.test_score,
        samples=best and best.samples,
    )


def _pair_view(pair: Pair, refusal: str | None) -> PairView:
    """A pair; a script that reads no more than its outcome must not take a refused one for a verdict."""
    view = PairView.model_validate(pair, from_attributes=True)
    return view if refusal is None else view.model_copy(update={"outcome": "refused", "seeds_needed": None})
