"""The `uniform` method: the same bits in every searched layer, the baseline of every job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, product

from models.allocation import Allocation, LayerBits
from models.cost import Limit, limit_cost, within
from search.space import limits_under, uniform_allocation
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
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
    left = sorted(_candidates(context), key=_Candidate.rank)
    count = min(context.trials, len(left))  # every candidate fits the greatest budget, so all find a place
    for budget in cycle(context.budgets):
        if count == 0:
            return
        best = next((one for one in left if one.cost <= budget.maximum), None)
        if best is not None:
            left.remove(best)
            count -= 1
            yield FixedBits(allocation=best.allocation, note={"budget": budget.maximum})


def _candidates(context: StudyContext) -> Iterator[_Candidate]:
    """Every uniform allocation of the space that keeps the greatest budget and the constraints."""
    greatest = context.budgets[-1]
    limits = limits_under(context, greatest)
    for bits in _uniform_bits(context):
        allocation = uniform_allocation(context, bits)
        if within(limits, context.layers, allocation):
            yield _Candidate(allocation=allocation, bits=bits, cost=_cost(greatest, context, allocation))


def _cost(budget: Limit, context: StudyContext, allocation: Allocation) -> float:
    return limit_cost(budget, context.layers, allocation)


def _uniform_bits(context: StudyContext) -> Iterator[LayerBits]:
    bounds = context.bounds
    ranges = (range(low, high + 1) for low, high in (bounds.steps, bounds.spike, bounds.weight))
    for steps, spike_bits, weight_bits in product(*ranges):
        yield LayerBits.uniform(steps=steps, spike_bits=spike_bits, weight_bits=weight_bits)
