"""The stages of a training: most have one; a descent has one for each of its budgets.

A stage learns bits for LEARNING_SHARE of its steps (where it learns any), freezes them, and fine-tunes to the
end of a learning-rate cycle of its own (workers.recipe); then a point is recorded. A descent of n stages in E
epochs gives its first stage, which trains weights from nothing, FIRST_SHARE parts and each later one a part:

    stage i (from 0) ends after epoch  floor(E (FIRST_SHARE + i) / (FIRST_SHARE + n - 1))

Its learning rate is a cosine with warm restarts: at step k of the N_i steps of stage i

    lr_i(k) = p_i lr * min(1, (k + 1) / (WARM_UP N_i)) * (1 + cos(pi k / N_i)) / 2,   p_0 = 1, p_i = RESTART

Each later stage thaws the bits at the integers that the last one froze, with fresh multipliers and a fresh
optimiser of bits; its budget tightens from their cost. Weights, step sizes and momentum carry over.
A descent through given allocations has the same stages; each trains its allocation from the beginning.
Everything follows from the epoch, so that a resumed descent knows its stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar, assert_never

from models.allocation import Allocation
from search.job import JobSpec
from search.strategy import FixedBits, FixedFront, LearnBits, LearnFront, LearnTargets, Proposal
from workers.steering import Fixed, Steering, UnderBudget, steering_of

Goal = TypeVar("Goal")

FIRST_SHARE = 2
RESTART = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Epochs `first_epoch` (counted from 0) to before `end`, and what steers their bits."""

    steering: Steering
    first_epoch: int
    end: int
    allocation: Allocation | None = None
    """What it trains, where that is given."""
    peak: float = 1.0
    """The share of the recipe's learning rate that its cycle starts from."""


def stages_of(proposal: Proposal, spec: JobSpec) -> tuple[Stage, ...]:
    """The stages of a proposal's training, in order."""
    match proposal:
        case LearnFront(budgets=budgets, trials=trials):
            kept = _kept(budgets, trials, spec)
            parts = [UnderBudget(limits=(budget, *spec.constraint_limits())) for budget in kept]
            return _descent([(steering, None) for steering in parts], trials, spec)
        case FixedFront(allocations=allocations, trials=trials):
            return _descent([(Fixed(), one) for one in _kept(allocations, trials, spec)], trials, spec)
        case FixedBits(allocation=allocation):
            return (whole(Fixed(), spec, allocation),)
        case LearnBits() | LearnTargets():
            return (whole(steering_of(proposal, spec), spec),)
        case _:
            assert_never(proposal)


def whole(steering: Steering, spec: JobSpec, allocation: Allocation | None = None) -> Stage:
    """A training of one stage."""
    return Stage(steering=steering, first_epoch=0, end=spec.training.epochs, allocation=allocation)


def stage_at(stages: Sequence[Stage], epochs_done: int) -> Stage:
    """The stage of the last epoch that was trained; the first before any was."""
    return next(stage for stage in stages if epochs_done <= stage.end)


def _kept(goals: Sequence[Goal], trials: int, spec: JobSpec) -> Sequence[Goal]:
    """Of more goals than epochs the last, least ones: a point is recorded after an epoch."""
    return goals[-trials * spec.training.epochs :]


def _descent(
    parts: Sequence[tuple[Steering, Allocation | None]], trials: int, spec: JobSpec
) -> tuple[Stage, ...]:
    epochs, shares = trials * spec.training.epochs, FIRST_SHARE + len(parts) - 1
    ends = [epochs * (FIRST_SHARE + place) // shares for place in range(len(parts))]
    return tuple(
        Stage(
            steering=steering,
            first_epoch=first,
            end=end,
            allocation=allocation,
            peak=RESTART if first else 1.0,
        )
        for (steering, allocation), (first, end) in zip(parts, pairwise((0, *ends)), strict=True)
    )
