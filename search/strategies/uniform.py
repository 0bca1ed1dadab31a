"""The `uniform` method: the same bits in every searched layer, the baseline of every job.

With a search space, passes over the budgets try one architecture after the other: under each budget those
that can keep it, in order of size (MACs) first the largest, then the smallest, then the middle of the widest
gap, again and again; then the next dearest bits of each, in the same order. So a share too small for all of
them still sees large and small ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

from models.allocation import Allocation, LayerBits
from models.cost import Limit, limit_cost, within
from search.architecture import Chosen
from search.feasible import feasible, least_costs
from search.space import limits_under, uniform_allocation
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    settings: Chosen
    allocation: Allocation
    bits: LayerBits
    cost: float

    def rank(self) -> tuple[float, ...]:
        """Dearest first (costs equal but for rounding tie), then fewer steps, then balanced widths."""
        spike, weight = self.bits.spike_bits[0], self.bits.weight_bits
        return (-float(f"{self.cost:.9g}"), self.bits.steps, abs(spike - weight), weight)


class UniformSearch:
    """One round: under each budget in turn, the dearest uniform allocation that fits and is left."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        return () if self._told else tuple(uniform_proposals(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Uniform allocations do not depend on what was found."""
        self._told = True


def uniform_proposals(context: StudyContext) -> Iterator[FixedBits]:
    """At most as many as the study has trials, under each budget in turn."""
    left = _Left(context)
    waiting = deque((budget, left.under(budget)) for budget in context.budgets)
    taken: set[tuple[Chosen, Allocation]] = set()
    while waiting and len(taken) < context.trials:
        budget, candidates = waiting.popleft()
        best = next((one for one in candidates if (one.settings, one.allocation) not in taken), None)
        if best is not None:
            waiting.append((budget, candidates))
            taken.add((best.settings, best.allocation))
            note = {"budget": budget.maximum}
            yield FixedBits(allocation=best.allocation, note=note, settings=best.settings)


def spread(count: int) -> list[int]:
    """The places 0 to count - 1: the first, the last, then the middle of the widest gap, again and again."""
    order = [0, count - 1] if count > 1 else [*range(count)]
    while len(order) < count:
        low, high = max(pairwise(sorted(order)), key=lambda gap: gap[1] - gap[0])
        order.append((low + high) // 2)
    return order


class _Left:
    """The uniform allocations of each architecture, computed once it is its turn."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._costs = least_costs(context, context.bounds)
        self._candidates = cache(self._ranked)

    def under(self, budget: Limit) -> Iterator[_Candidate]:
        """Those that fit a budget: the dearest of each architecture, then the next dearest of each."""
        sizes = {
            chosen: -sum(layer.macs for layer in self._context.architectures[chosen])
            for chosen in feasible(self._costs, budget)
        }
        by_size = sorted(sizes, key=sizes.__getitem__)
        order = [by_size[place] for place in spread(len(by_size))]
        return _in_turns([self._fitting(chosen, budget) for chosen in order])

    def _fitting(self, chosen: Chosen, budget: Limit) -> Iterator[_Candidate]:
        yield from (one for one in self._candidates(chosen) if one.cost <= budget.maximum)

    def _ranked(self, chosen: Chosen) -> list[_Candidate]:
        return sorted(_candidates(self._context.on(chosen)), key=_Candidate.rank)


def _in_turns(each: Sequence[Iterator[_Candidate]]) -> Iterator[_Candidate]:
    """One of each, then the next of each; nothing is computed before it is asked for."""
    waiting = deque(each)
    while waiting:
        turn = waiting.popleft()
        found = next(turn, None)
        if found is not None:
            waiting.append(turn)
            yield found


def _candidates(context: StudyContext) -> Iterator[_Candidate]:
    """Every uniform allocation of an architecture that keeps the greatest budget and the constraints."""
    greatest = context.budgets[-1]
    limits = limits_under(context, greatest)
    for bits in _uniform_bits(context):
        allocation = uniform_allocation(context, bits)
        if within(limits, context.layers, allocation):
            cost = limit_cost(greatest, context.layers, allocation)
            yield _Candidate(settings=context.settings, allocation=allocation, bits=bits, cost=cost)


def _uniform_bits(context: StudyContext) -> Iterator[LayerBits]:
    bounds = context.bounds
    ranges = (range(low, high + 1) for low, high in (bounds.steps, bounds.spike, bounds.weight))
    for steps, spike_bits, weight_bits in product(*ranges):
        yield LayerBits.uniform(steps=steps, spike_bits=spike_bits, weight_bits=weight_bits)
