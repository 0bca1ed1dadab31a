"""The one protocol that gradient and black-box methods share, and the values that cross it.

A proposal is for one architecture: `settings` are those that were chosen of the job's search space, empty
where it has none.

A strategy works in rounds. `ask` returns the proposals of the next round, in order, or none when the
study has used its compute; `tell` gives it a finished round. What it asks depends on nothing but its
context (space, budgets, seed, compute) and the rounds it was told: never on timing, on the number of
workers or on a random state of its own. So a strategy is rebuilt after a crash by telling it the
stored rounds again, and a search can be repeated exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any, Protocol, assert_never

from models.allocation import Allocation, Bounds, WeightPer
from models.cost import STANDARD_BASIS, CostBasis, LayerShape, Limit
from models.errors import InvalidInputError
from models.layers import QUANTITIES, InitialBits, LayerOptions, Quantity
from models.targets import Targets
from search.architecture import Chosen, chosen_of


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedBits:
    """Train one given allocation. `note` is the strategy's own memory of the proposal (JSON values)."""

    allocation: Allocation
    note: Mapping[str, Any]
    settings: Chosen = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnBits:
    """Learn the allocation by gradient under `budget` and the job's constraints."""

    budget: Limit
    note: Mapping[str, Any]
    settings: Chosen = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnTargets:
    """Learn the allocation by gradient towards three mean bits, then fit it under `budget`."""

    budget: Limit
    targets: Targets
    note: Mapping[str, Any]
    settings: Chosen = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnFront:
    """Learn a point under each budget, from the greatest to the least, in one training of `trials` trials."""

    budgets: tuple[Limit, ...]
    trials: int
    note: Mapping[str, Any]
    settings: Chosen = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedFront:
    """Train a point of each given allocation, in order, in one training of `trials` trials."""

    allocations: tuple[Allocation, ...]
    trials: int
    note: Mapping[str, Any]
    settings: Chosen = ()


OnePoint = FixedBits | LearnBits | LearnTargets
"""The proposals that end in one point."""
Descent = LearnFront | FixedFront
"""The proposals that end in several."""
Proposal = OnePoint | Descent


def trials_of(proposal: Proposal) -> int:
    """The trials of compute that a proposal uses of its study's share."""
    return proposal.trials if isinstance(proposal, Descent) else 1


def affordable(proposals: Sequence[Proposal], trials: Fraction) -> list[Proposal]:
    """The first proposals of a round, as many as a share of compute has room for."""
    used = accumulate(map(trials_of, proposals))
    return [proposal for proposal, so_far in zip(proposals, used, strict=True) if so_far <= trials]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResult:
    """What a strategy is told of one proposal: its point, or None where the trial failed.

    `cost` is that of the budget's metric and scope; `score` is the job's objective on the validation split as
    search.objective has it: more is better, 0 to 1. `stopped_after` says of a trial that was stopped early
    (search.stopping) which part of its training it used; it has no point.
    """

    proposal: Proposal
    allocation: Allocation | None
    score: float | None
    cost: float | None
    stopped_after: Fraction | None = None

    @property
    def used(self) -> Fraction:
        """The trials of compute that it used of its study's share; a failed trial used all of its own."""
        return Fraction(trials_of(self.proposal)) if self.stopped_after is None else self.stopped_after


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyContext:
    """Everything that a strategy may know.

    `layers` is the table of the architecture with `settings`: the one that the job names, or the first of its
    search space. `tables` has those of every architecture of a search space, in order, and is empty without.
    """

    layers: Sequence[LayerShape]
    bounds: Bounds
    budgets: tuple[Limit, ...]  # from the least to the greatest
    constraints: tuple[Limit, ...]
    seed: int
    trials: int
    initial: InitialBits = field(default_factory=InitialBits)
    learned: frozenset[Quantity] = QUANTITIES
    targets: tuple[Targets, ...] = ()  # those that the job names
    weight_per: WeightPer = "layer"  # for methods that learn bits
    stops_early: bool = False  # whether trials of later rounds may be stopped, so that more of them fit
    settings: Chosen = ()
    tables: Mapping[Chosen, Sequence[LayerShape]] = field(default_factory=dict)

    @property
    def architectures(self) -> Mapping[Chosen, Sequence[LayerShape]]:
        """The layer table of every architecture there is to choose among."""
        return self.tables or {self.settings: self.layers}

    def on(self, chosen: Chosen) -> StudyContext:
        """The same study with one architecture alone."""
        return replace(self, layers=self.architectures[chosen], settings=chosen, tables={})

    @property
    def first(self) -> StudyContext:
        """The same study with its first architecture alone, as methods have it that choose none."""
        return self.on(self.settings)

    @property
    def options(self) -> LayerOptions:
        """What bounds and holds learned bits."""
        return LayerOptions(
            bounds=self.bounds, initial=self.initial, learned=self.learned, weight_per=self.weight_per
        )


class Strategy(Protocol):
    """Lifecycle: made from a context; then ask, tell, ask, tell, ... until ask returns nothing."""

    def ask(self) -> Sequence[Proposal]:
        """The proposals of the next round; the same again until `tell` is called."""

    def tell(self, results: Sequence[TrialResult]) -> None:
        """The finished round, in the order in which it was proposed."""


StrategyFactory = Callable[[StudyContext], Strategy]


def proposal_to_json(proposal: Proposal) -> dict[str, Any]:
    """The stored form of a proposal; it names settings only where some were chosen.

    What its job's costs are computed with is stored with the job alone.
    """
    settings = {"settings": dict(proposal.settings)} if proposal.settings else {}
    return {**_asked(proposal), **settings, "note": dict(proposal.note)}


def _asked(proposal: Proposal) -> dict[str, Any]:
    match proposal:
        case FixedBits(allocation=allocation):
            return {"kind": "fixed_bits", "allocation": allocation.to_json()}
        case LearnBits(budget=budget):
            return {"kind": "learn_bits", "budget": budget.to_json()}
        case LearnTargets(budget=budget, targets=targets):
            stored = {"budget": budget.to_json(), "targets": asdict(targets)}
            return {"kind": "learn_targets", **stored}
        case LearnFront(budgets=budgets, trials=trials):
            descent = {"budgets": [budget.to_json() for budget in budgets], "trials": trials}
            return {"kind": "learn_front", **descent}
        case FixedFront(allocations=allocations, trials=trials):
            given = {"allocations": [one.to_json() for one in allocations], "trials": trials}
            return {"kind": "fixed_front", **given}
        case _:
            assert_never(proposal)


def proposal_from_json(data: Mapping[str, Any], basis: CostBasis = STANDARD_BASIS) -> Proposal:
    """The inverse of `proposal_to_json`, for the limits of a job with this basis."""
    note, settings = data["note"], chosen_of(data.get("settings", {}))
    if data["kind"] == "fixed_bits":
        given = Allocation.from_json(data["allocation"])
        return FixedBits(allocation=given, note=note, settings=settings)
    if data["kind"] == "learn_bits":
        return LearnBits(budget=Limit(**data["budget"], basis=basis), note=note, settings=settings)
    if data["kind"] == "learn_targets":
        targets = Targets(**data["targets"])
        budget = Limit(**data["budget"], basis=basis)
        return LearnTargets(budget=budget, targets=targets, note=note, settings=settings)
    if data["kind"] == "learn_front":
        budgets = tuple(Limit(**budget, basis=basis) for budget in data["budgets"])
        return LearnFront(budgets=budgets, trials=data["trials"], note=note, settings=settings)
    if data["kind"] == "fixed_front":
        allocations = tuple(Allocation.from_json(one) for one in data["allocations"])
        return FixedFront(allocations=allocations, trials=data["trials"], note=note, settings=settings)
    raise InvalidInputError(f"unknown kind of proposal {data['kind']!r}.")
