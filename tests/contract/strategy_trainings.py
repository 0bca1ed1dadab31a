"""Stand-ins for training, and whole studies run with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from models.allocation import Allocation
from models.cost import LayerShape, Limit, limit_cost
from models.repair import fit
from models.wish import LayerWish
from search.strategy import (
    FixedBits,
    FixedFront,
    LearnBits,
    LearnFront,
    LearnTargets,
    Proposal,
    Strategy,
    StudyContext,
    TrialResult,
    proposal_from_json,
    proposal_to_json,
)

MOST_ROUNDS = 100

Round = list[TrialResult]
Train = Callable[[StudyContext, int, Proposal], TrialResult]


def train(context: StudyContext, _: int, proposal: Proposal) -> TrialResult:
    """A stand-in for training: more bits are better, deeper layers matter more."""
    allocation = realised(context, proposal)
    bits = [layer.steps * layer.mean_spike_bits * layer.weight_bits for _, layer in allocation]
    found = sum((1 - 0.7**product) * place for place, product in enumerate(bits, start=1))
    accuracy = found / sum(range(len(bits) + 1))
    cost = limit_cost(context.budgets[0], layers_of(context, proposal), allocation)
    return TrialResult(proposal=proposal, allocation=allocation, score=accuracy, cost=cost)


def realised(context: StudyContext, proposal: Proposal) -> Allocation:
    """The allocation of a trial's point; of a descent, of its first."""
    if isinstance(proposal, FixedBits | FixedFront):
        return given(proposal)[0]
    return learned(context, proposal)


def given(proposal: FixedBits | FixedFront) -> tuple[Allocation, ...]:
    """The allocations that a proposal names."""
    return proposal.allocations if isinstance(proposal, FixedFront) else (proposal.allocation,)


def layers_of(context: StudyContext, proposal: Proposal) -> Sequence[LayerShape]:
    """The layer table of the architecture that a proposal is for."""
    return context.architectures[proposal.settings]


def learned(context: StudyContext, proposal: LearnBits | LearnTargets | LearnFront) -> Allocation:
    layers = layers_of(context, proposal)
    wish = {
        layer.name: LayerWish(steps=1.0, spike_bits=(2.4,) * context.bounds.steps[1], weight_bits=3.3)
        for layer in layers
        if layer.fixed is None
    }
    return fit(wish, layers, context.bounds, (learned_under(proposal)[0], *context.constraints))


def learned_under(proposal: LearnBits | LearnTargets | LearnFront) -> tuple[Limit, ...]:
    """The budgets of a proposal that learns its bits, the greatest first."""
    return proposal.budgets if isinstance(proposal, LearnFront) else (proposal.budget,)


def trained(proposal: Proposal) -> tuple[object, ...]:
    """What a study must not train twice: given allocations, or what bits are learned under, and where."""
    if isinstance(proposal, FixedBits | FixedFront):
        return tuple((proposal.settings, one) for one in given(proposal))
    return ((proposal.settings, learned_under(proposal)),)


def fail(_: StudyContext, __: int, proposal: Proposal) -> TrialResult:
    return TrialResult(proposal=proposal, allocation=None, score=None, cost=None)


def fail_most(context: StudyContext, place: int, proposal: Proposal) -> TrialResult:
    return (train if place % 3 == 0 else fail)(context, place, proposal)


def fail_at_first(context: StudyContext, place: int, proposal: Proposal) -> TrialResult:
    return (fail if place < 5 else train)(context, place, proposal)


def stop_most(context: StudyContext, place: int, proposal: Proposal) -> TrialResult:
    """A quarter of the compute of given bits is used; what learns its bits is trained to its end."""
    if place % 3 == 0 or not isinstance(proposal, FixedBits):
        return train(context, place, proposal)
    return replace(fail(context, place, proposal), stopped_after=Fraction(1, 4))


def run(strategy: Strategy, context: StudyContext, how: Train = train) -> list[Round]:
    """The rounds of a whole study."""
    rounds: list[Round] = []
    while proposals := strategy.ask():
        assert len(rounds) < MOST_ROUNDS, "the study does not end"
        start = sum(map(len, rounds))
        rounds.append([how(context, start + place, proposal) for place, proposal in enumerate(proposals)])
        strategy.tell(rounds[-1])
    return rounds


def proposals_of(rounds: Sequence[Round]) -> list[Proposal]:
    return [result.proposal for finished in rounds for result in finished]


def stored(results: Round) -> Round:
    """A round as a database gives it back: through JSON, the keys of objects in another order."""
    return [
        replace(r, proposal=_stored(r.proposal), allocation=r.allocation and _reordered(r.allocation))
        for r in results
    ]


def _stored(proposal: Proposal) -> Proposal:
    return proposal_from_json(json.loads(json.dumps(proposal_to_json(proposal), sort_keys=True)))


def _reordered(allocation: Allocation) -> Allocation:
    return Allocation.from_json(json.loads(json.dumps(allocation.to_json(), sort_keys=True)))
