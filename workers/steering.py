"""What steers the bits of a training: nothing, a budget, or three targets.

    Fixed            the allocation is given; only weights train
    UnderBudget      Adam on the bits, the loss plus the penalty of models.budget; renewal to the end
    TowardTargets    SGD with momentum and a cosine on the bits, the loss plus the penalty of models.targets;
                     renewal ends near the targets, though never before a given epoch

`limits` are what the learned bits are fitted under once they are frozen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, assert_never

import torch

from models import budget, targets
from models.allocation import Bounds
from models.budget import BudgetState
from models.cost import LayerLoad, LayerShape, Limit, Scope
from models.layers import LayerOptions
from models.nets import Network
from models.targets import Targets, TargetsState
from search.job import JobSpec
from search.recipe import TrainingSpec
from search.strategy import FixedBits, FixedFront, LearnBits, LearnFront, LearnTargets, OnePoint, Proposal
from workers.recipe import Schedule, bit_adam, bit_sgd

Rates = Mapping[str, float] | None
"""Measured spike rates by layer; None: the reference rates of the job."""
State = BudgetState | TargetsState | None
"""What a steering remembers from step to step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """Nothing is learned but weights."""

    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UnderBudget:
    """Each limit tightens while bits are learned."""

    limits: tuple[Limit, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TowardTargets:
    """Mean bits are drawn to the targets; `weights` are those of the penalties."""

    limits: tuple[Limit, ...]
    targets: Targets
    weights: Targets
    renewal_stop: float
    renewal_min_epoch: int


Steering = Fixed | UnderBudget | TowardTargets


def steering_of(proposal: OnePoint, spec: JobSpec) -> Steering:
    """What a proposal asks for."""
    match proposal:
        case FixedBits():
            return Fixed()
        case LearnBits(budget=limit):
            return UnderBudget(limits=(limit, *spec.constraint_limits()))
        case LearnTargets(budget=limit, targets=wished):
            recipe = spec.training
            return TowardTargets(
                limits=(limit, *spec.constraint_limits()),
                targets=wished,
                weights=Targets(**recipe.target_weights.model_dump()),
                renewal_stop=recipe.renewal_stop,
                renewal_min_epoch=recipe.renewal_min_epoch,
            )
        case _:
            assert_never(proposal)


def learning_bounds(proposal: Proposal, options: LayerOptions) -> Bounds:
    """The bounds of a trial's bits: the job's, or those that its method learns in."""
    match proposal:
        case FixedBits(allocation=given) | FixedFront(allocations=(given, *_)):
            return replace(options.bounds, weight_per=given.weight_per)
        case FixedFront():
            raise ValueError("a descent goes through at least one allocation")
        case LearnBits() | LearnFront():
            return options.learning_bounds()
        case LearnTargets():
            return targets.target_bounds(options)
        case _:
            assert_never(proposal)


def bit_optimiser(
    steering: Steering, network: Network, recipe: TrainingSpec, plan: Schedule
) -> torch.optim.Optimizer | None:
    """The optimiser of the bits; None where they are fixed."""
    match steering:
        case Fixed():
            return None
        case UnderBudget():
            return bit_adam(network, plan)
        case TowardTargets():
            return bit_sgd(network, recipe)
        case _:
            assert_never(steering)


class Steer:
    """A steering at work on a network whose layer table is given."""

    def __init__(self, steering: Steering, network: Network, layers: tuple[LayerShape, ...]) -> None:
        self.steering = steering
        self.network = network
        self.layers = layers

    def start(self, rates: Rates = None) -> State:
        """The state before the first step, where spike rates may have been measured already."""
        match self.steering:
            case Fixed():
                return None
            case UnderBudget(limits=limits):
                return budget.initial_state(at_rates(limits, rates), self._loads())
            case TowardTargets(targets=wished):
                return targets.initial_state(self._searched(), wished)
            case _:
                assert_never(self.steering)

    def penalty(self, state: State, passed: float, rates: Rates = None) -> tuple[torch.Tensor, State]:
        """What is added to the loss when a share of the learning has passed, and the next state.

        A measured cost goes by `rates` where there are any.
        """
        match self.steering, state:
            case UnderBudget(limits=limits), BudgetState():
                excesses = budget.log_excesses(at_rates(limits, rates), self._loads(), state, passed)
                return budget.penalty(excesses, state), budget.updated(state, [e.detach() for e in excesses])
            case TowardTargets() as toward, TargetsState():
                return targets.penalty(self._searched(), toward.targets, toward.weights), state
            case _:
                raise TypeError(f"{type(state).__name__} is no state of {type(self.steering).__name__}")

    def set_rate(self, bits: torch.optim.Optimizer, recipe: TrainingSpec, passed: float) -> None:
        """The learning rate of the bits when a share of the learning has passed."""
        match self.steering:
            case Fixed() | UnderBudget():
                return
            case TowardTargets():
                bits.param_groups[0]["lr"] = recipe.lr * (1 + math.cos(math.pi * passed)) / 2
            case _:
                assert_never(self.steering)

    def renews(self, state: State, epoch: int) -> bool:
        """Whether step sizes still follow their bits in an epoch (counted from 0)."""
        match self.steering, state:
            case TowardTargets() as toward, TargetsState() if epoch >= toward.renewal_min_epoch:
                return not targets.is_near(self._searched(), toward.targets, state, toward.renewal_stop)
            case _:
                return True

    def _searched(self) -> Sequence[LayerLoad]:
        return self.network.loads(self.layers, "searched")

    def _loads(self) -> Mapping[Scope, Sequence[LayerLoad]]:
        scopes = {limit.scope for limit in self.steering.limits}
        return {scope: self.network.loads(self.layers, scope) for scope in scopes}


def at_rates(limits: Sequence[Limit], rates: Rates) -> tuple[Limit, ...]:
    """The limits with measured rates in the place of reference rates, where there are any."""
    return tuple(limit.at_rates(rates) for limit in limits)


def state_to_json(state: State) -> dict[str, Any]:
    """The fields of a stored progress that hold a state."""
    return {
        "budget": asdict(state) if isinstance(state, BudgetState) else None,
        "targets": asdict(state) if isinstance(state, TargetsState) else None,
    }


def state_from_json(data: Mapping[str, Any]) -> State:
    """The inverse of `state_to_json`."""
    if data.get("targets"):
        return TargetsState.from_json(data["targets"])
    return BudgetState.from_json(data["budget"]) if data["budget"] else None
