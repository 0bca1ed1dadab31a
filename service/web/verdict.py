"""Says in plain words whether search beat `uniform` at each budget of a job (design section 5).

Compared are means over seeds, each of the best point of a seed by validation score. A method beats or
loses only where the ranges of its seeds and of the baseline's do not overlap, and only once every seed has
a point; it takes two seeds at least, since one shows no spread. This is the rule of `service.verdict`,
which ranks every method; here each is held against the baseline, by validation or by test score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from search.strategies import methods
from service.verdict import LEAST_SEEDS, Standing, standings
from service.views import JobView
from service.web.formats import percent, points

BASELINE = "uniform"
Accuracy = Literal["validation", "test"]
Outcome = Literal["beat", "lost", "overlap", "few_seeds", "nothing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Scores (0 to 1) over the seeds that have a point."""

    mean: float
    least: float
    greatest: float
    seeds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One method against the baseline at one budget."""

    method: str
    outcome: Outcome
    spread: Spread | None
    baseline: Spread | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetVerdict:
    """Every other method of a job at one budget, best mean first, and the words about them."""

    budget: float
    baseline: Spread | None
    comparisons: tuple[Comparison, ...]
    headline: str
    sentences: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """That of the searching method with the best mean."""
        return next((one.outcome for one in searching(self.comparisons)), "nothing")


def budget_verdicts(job: JobView, accuracy: Accuracy) -> tuple[BudgetVerdict, ...]:
    """A verdict for each budget of a job, the least first."""
    return tuple(_budget_verdict(job, best.budget, accuracy) for best in job.best)


def searching(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those of methods that search: another baseline may beat `uniform`, but is no search."""
    known = methods()
    return [one for one in comparisons if one.method not in known or known[one.method].searches]


def spread(scores: Sequence[float]) -> Spread | None:
    """The mean and the range of some scores; None without any."""
    if not scores:
        return None
    mean = sum(scores) / len(scores)
    return Spread(mean=mean, least=min(scores), greatest=max(scores), seeds=len(scores))


def compare(ours: Standing, theirs: Standing | None, accuracy: Accuracy) -> Comparison:
    """A method against the baseline, which may not be there."""
    found, baseline = _spread(ours, accuracy), _spread(theirs, accuracy)
    complete = ours.complete and theirs is not None and theirs.complete
    return Comparison(
        method=ours.method, outcome=_outcome(found, baseline, complete), spread=found, baseline=baseline
    )


def _outcome(ours: Spread | None, theirs: Spread | None, complete: bool) -> Outcome:
    if ours is None or theirs is None:
        return "nothing"
    if not complete:
        return "few_seeds"
    if ours.least > theirs.greatest:
        return "beat"
    return "lost" if ours.greatest < theirs.least else "overlap"


def _budget_verdict(job: JobView, budget: float, accuracy: Accuracy) -> BudgetVerdict:
    found = standings(job, budget)
    baseline = next((one for one in found if one.method == BASELINE), None)
    compared = [compare(one, baseline, accuracy) for one in found if one.method != BASELINE]
    ranked = tuple(sorted(compared, key=lambda one: -one.spread.mean if one.spread else 0.0))
    return BudgetVerdict(
        budget=budget,
        baseline=_spread(baseline, accuracy),
        comparisons=ranked,
        headline=_headline(searching(ranked)),
        sentences=tuple(_sentence(comparison) for comparison in ranked),
    )


def _spread(standing: Standing | None, accuracy: Accuracy) -> Spread | None:
    if standing is None:
        return None
    return spread(standing.validation if accuracy == "validation" else standing.test)


def _headline(ranked: Sequence[Comparison]) -> str:
    """The verdict on the method with the best mean."""
    if not ranked:
        return "Nothing but baselines was run"
    first = ranked[0]
    match first.outcome:
        case "beat":
            return f"Search beat uniform by {points(_lead(first))}"
        case "lost":
            return f"Search lost to uniform by {points(_lead(first))}"
        case "overlap" | "few_seeds":
            return "No verdict"
        case "nothing":
            return "Nothing to compare yet"
        case _:
            assert_never(first.outcome)


def _sentence(one: Comparison) -> str:
    match one.outcome:
        case "beat":
            return f"{one.method} beat uniform: {_against(one)}."
        case "lost":
            return f"{one.method} lost to uniform: {_against(one)}."
        case "overlap":
            return f"{one.method}: {_against(one)}; the ranges of the seeds overlap."
        case "few_seeds":
            return f"{one.method}: {_against(one)}; {_why_few(one)}."
        case "nothing":
            return _missing(one)
        case _:
            assert_never(one.outcome)


def _why_few(one: Comparison) -> str:
    if one.spread and one.baseline and max(one.spread.seeds, one.baseline.seeds) < LEAST_SEEDS:
        return "one seed shows no spread"
    return "not every seed has a point here"


def _missing(one: Comparison) -> str:
    if one.spread is None:
        return f"{one.method} has no point within this budget."
    return f"{one.method} reached {_words(one.spread)}; uniform has no point within this budget."


def _against(one: Comparison) -> str:
    return f"{_words(one.spread)} against {_words(one.baseline)}"


def _words(one: Spread | None) -> str:
    """A mean, and the range of its seeds where there are several."""
    if one is None:
        return "–"
    if one.seeds < LEAST_SEEDS:
        return percent(one.mean)
    return f"{percent(one.mean)} ({100 * one.least:.1f} to {100 * one.greatest:.1f})"


def _lead(one: Comparison) -> float:
    return one.spread.mean - one.baseline.mean if one.spread and one.baseline else 0.0
