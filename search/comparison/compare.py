"""Compare the methods of a search over its seeds.

With HV(n) of a study after n samples (search.comparison.attained), two methods are compared seed by seed,
since a seed fixes initial weights and data order for both:

    d_s = HV_ours(s) - HV_theirs(s),   the interval of the mean of d over seeds (search.comparison.intervals)

No verdict is given where the interval holds zero, or where compute was not equal: every study has the same
share, none has used more, and each method has come to its end.

    factor of compute = least n with median over seeds of HV_theirs(n) >= median of HV_ours at its end,
                        over the samples that ours has used
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from models.errors import InvalidInputError, UnknownNameError
from search.comparison.attained import Accuracy, Moment, best_under, history, hypervolume_after
from search.comparison.intervals import LEAST_SEEDS, Interval, mean_interval, seeds_needed
from search.comparison.results import (
    AtBudget,
    Comparison,
    CurvePoint,
    MethodResult,
    Outcome,
    Pair,
    StudyRecord,
)
from search.comparison.verdict import verdict_of

CURVE_POINTS = 50
Histories = Mapping[tuple[str, int], tuple[Moment, ...]]
"""Of every (method, seed)."""


def compare(
    studies: Sequence[StudyRecord], *, budgets: Sequence[float], subject: str, accuracy: Accuracy = "test"
) -> Comparison:
    """Compare the subject with every other method of a job. Raises UnknownNameError for another subject."""
    of_method = _by_method(studies)
    if subject not in of_method:
        known = ", ".join(of_method)
        raise UnknownNameError(f"{subject!r} is no method of this search.", fix=f"Use one of {known}.")
    histories = {(one.method, one.seed): history(one.found, budgets, accuracy) for one in studies}
    methods = [_result(found, budgets, accuracy, histories) for found in of_method.values()]
    ours = of_method[subject]
    pairs = tuple(
        pair_of(ours, theirs, histories) for method, theirs in of_method.items() if method != subject
    )
    refusal = refusal_of(studies)
    return Comparison(
        accuracy=accuracy,
        budgets=tuple(budgets),
        subject=subject,
        methods=tuple(sorted(methods, key=lambda one: -one.hypervolume.value)),
        pairs=pairs,
        refusal=refusal,
        verdict=verdict_of(subject, pairs, refusal),
    )


def refusal_of(studies: Sequence[StudyRecord]) -> str | None:
    """Why these studies cannot be compared at all; None where they can."""
    waiting = dict.fromkeys(one.method for one in studies if not one.finished)
    if waiting:
        return f"the search has not come to its end for {', '.join(waiting)}, so compute is not equal"
    if len({one.share for one in studies}) > 1:
        return "the methods were given different amounts of compute"
    greedy = dict.fromkeys(one.method for one in studies if one.samples > one.share)
    if greedy:
        return f"{', '.join(greedy)} used more than its share of compute"
    seeds = {frozenset(one.seed for one in found) for found in _by_method(studies).values()}
    if len(seeds) > 1:
        return "the methods ran on different seeds"
    if len(next(iter(seeds), ())) < LEAST_SEEDS:
        return "one seed shows no spread"
    return None


def pair_of(ours: Sequence[StudyRecord], theirs: Sequence[StudyRecord], histories: Histories) -> Pair:
    """The subject's studies against those of another method, of the seeds that both have."""
    differences = _differences(ours, theirs, histories)
    interval = mean_interval(differences)
    outcome = outcome_of(interval)
    used = max(one.samples for one in ours)
    return Pair(
        method=ours[0].method,
        against=theirs[0].method,
        difference=interval,
        outcome=outcome,
        compute_factor=compute_factor(ours, theirs, histories),
        compute_searched=max(one.samples for one in theirs) / max(used, 1),
        seeds_needed=_more_seeds(differences) if outcome == "undecided" else None,
    )


def _more_seeds(differences: Sequence[float]) -> int | None:
    """How many seeds would likely settle what these could not: more than there are."""
    needed = seeds_needed(differences)
    return None if needed is None else max(needed, len(differences) + 1)


def outcome_of(difference: Interval | None) -> Outcome:
    """Whether an interval of differences lies on one side of zero."""
    if difference is None:
        return "nothing"
    outcomes: Mapping[int, Outcome] = {1: "better", -1: "worse", 0: "undecided"}
    return outcomes[difference.sign]


def compute_factor(
    ours: Sequence[StudyRecord], theirs: Sequence[StudyRecord], histories: Histories
) -> float | None:
    """How many times our compute they used to reach our median hypervolume; None where they never did."""
    target = median(_final(one, histories) for one in ours)
    used = max(one.samples for one in ours)
    of_theirs = [histories[one.method, one.seed] for one in theirs]
    for samples in sorted({moment.samples for moments in of_theirs for moment in moments}):
        if used and median(hypervolume_after(moments, samples) for moments in of_theirs) >= target:
            return samples / used
    return None


def _differences(
    ours: Sequence[StudyRecord], theirs: Sequence[StudyRecord], histories: Histories
) -> list[float]:
    """d_s of every seed in which both have a point."""
    final_of = {one.seed: _final(one, histories) for one in theirs if one.found}
    return [_final(one, histories) - final_of[one.seed] for one in ours if one.found and one.seed in final_of]


def _result(
    studies: Sequence[StudyRecord], budgets: Sequence[float], accuracy: Accuracy, histories: Histories
) -> MethodResult:
    finals = [_final(one, histories) for one in studies]
    interval = mean_interval(finals)
    if interval is None:
        raise InvalidInputError("a method without studies cannot be compared.")
    return MethodResult(
        method=studies[0].method,
        samples=max(one.samples for one in studies),
        seconds=sum(one.seconds for one in studies) / len(studies),
        device_seconds=sum(one.device_seconds for one in studies) / len(studies),
        hypervolumes=tuple(finals),
        hypervolume=interval,
        curve=_curve(studies, histories),
        at_budgets=tuple(_at_budget(studies, budget, accuracy) for budget in budgets),
    )


def _curve(studies: Sequence[StudyRecord], histories: Histories) -> tuple[CurvePoint, ...]:
    def at(share: float) -> CurvePoint:
        values = [
            hypervolume_after(histories[one.method, one.seed], share * max(one.share, one.samples))
            for one in studies
        ]
        return CurvePoint(share=share, median=median(values), least=min(values), greatest=max(values))

    return tuple(at(step / CURVE_POINTS) for step in range(1, CURVE_POINTS + 1))


def _at_budget(studies: Sequence[StudyRecord], budget: float, accuracy: Accuracy) -> AtBudget:
    best = [found for one in studies if (found := best_under(one.found, budget))]
    return AtBudget(
        budget=budget,
        score=mean_interval([one.read(accuracy) for one in best]),
        missing=len(studies) - len(best),
    )


def _final(study: StudyRecord, histories: Histories) -> float:
    moments = histories[study.method, study.seed]
    return moments[-1].hypervolume if moments else 0.0


def _by_method(studies: Sequence[StudyRecord]) -> dict[str, list[StudyRecord]]:
    found: dict[str, list[StudyRecord]] = {}
    for one in studies:
        found.setdefault(one.method, []).append(one)
    return found
