"""Who beats whom under a budget, from the best point of each seed; without a verdict where seeds overlap.

A first reading of a job: means and ranges over seeds, by validation score (the objective of the job). It
claims that one method beats another only if its worst seed is above the other's best, and every seed, two
at least, has a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from service.views import JobView, StudyView

LEAST_SEEDS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a method did under one budget; scores are fractions, one per seed that has a feasible point."""

    method: str
    seeds: int  # of the job, also those without a feasible point
    validation: tuple[float, ...]
    test: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The mean validation score; below every other when no seed has a point."""
        return mean(self.validation) if self.validation else -1.0

    @property
    def middle_test(self) -> float | None:
        """The mean test score of the same points; it ranks nothing."""
        return mean(self.test) if self.test else None

    @property
    def complete(self) -> bool:
        """Whether every seed, and at least two, has a feasible point."""
        return len(self.validation) == self.seeds >= LEAST_SEEDS

    def beats(self, other: Standing) -> bool:
        """Whether its worst seed is above the other's best."""
        return self.complete and other.complete and min(self.validation) > max(other.validation)


def standings(job: JobView, budget: float) -> list[Standing]:
    """Every method under one budget, the highest mean first."""
    methods = dict.fromkeys(study.method for study in job.studies)
    found = [_standing(method, [s for s in job.studies if s.method == method], budget) for method in methods]
    return sorted(found, key=lambda standing: -standing.middle)


def verdict(ranked: Sequence[Standing]) -> str:
    """One plain sentence on whom the first of `ranked` beats, and whom it cannot be told from."""
    if not ranked or not ranked[0].validation:
        return "No method has a feasible point here yet."
    first, others = ranked[0], ranked[1:]
    if not others:
        return f"{first.method} is the only method."
    beaten = [other for other in others if first.beats(other)]
    undecided = [other for other in others if not first.beats(other)]
    if not undecided:
        return f"{first.method} beats {_names(beaten)}."
    against = f"against {_names(undecided)} ({_why(first, undecided)})."
    if beaten:
        return f"{first.method} beats {_names(beaten)}; no verdict {against}"
    return f"No verdict on {first.method} {against}"


def _why(first: Standing, undecided: Sequence[Standing]) -> str:
    if all(standing.complete for standing in (first, *undecided)):
        return "the ranges of their seeds overlap"
    return f"it takes a point of every seed, and {LEAST_SEEDS} seeds at least"


def _standing(method: str, studies: Sequence[StudyView], budget: float) -> Standing:
    best = [entry for study in studies for entry in study.best if entry.budget == budget]
    return Standing(
        method=method,
        seeds=len(studies),
        validation=tuple(b.score for b in best if b.score is not None),
        test=tuple(b.test_score for b in best if b.test_score is not None),
    )


def _names(standings: Sequence[Standing]) -> str:
    names = [standing.method for standing in standings]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
