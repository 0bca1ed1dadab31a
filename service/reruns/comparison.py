"""A point as it was stored beside what came out again: equal is equal to the last digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.views import PointView
    from workers.report import PointResult, TrialOutcome


def same_allocation(stored: PointView, outcome: TrialOutcome) -> PointResult | None:
    """The point in the same place of its trial, where it has the same bits: a trial may end in several."""
    found = outcome.points[stored.ordinal : stored.ordinal + 1]
    return next((point for point in found if dict(point.allocation) == stored.allocation), None)


def equal(stored: PointView, again: PointResult | None) -> bool:
    """Whether every measure is the same."""
    return again is not None and all(
        getattr(again, name) == getattr(stored, name) for name in measures(stored)
    )


def measures(stored: PointView) -> tuple[str, ...]:
    """The accuracies, and what the objective of its job is read from."""
    of_objective = (f"validation_{stored.objective}", f"test_{stored.objective}")
    return tuple(dict.fromkeys(("validation_accuracy", "test_accuracy", *of_objective)))
