"""Whom a comparison is about."""

from __future__ import annotations

from collections.abc import Sequence

from search.strategies import methods

FAVOURITE = "gradient"


def subject_of(of_job: Sequence[str]) -> str:
    """The method of a job that is compared unless told: the first that learns bits, `gradient` before all."""
    if FAVOURITE in of_job:
        return FAVOURITE
    known = methods()
    learning = (name for name in of_job if name in known and known[name].learning_bounds is not None)
    return next(learning, of_job[0])
