"""The first round is what gradient and uniform ask; its results are the first parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape, Limit
from search.space import Parameters, to_parameters
from search.strategies.evolution_warm import evolution_warm
from search.strategies.gradient import GradientSearch
from search.strategies.optuna_search import nsga2_draws
from search.strategies.uniform import UniformSearch
from search.strategy import FixedBits, LearnBits, Proposal, Strategy, StudyContext, TrialResult

LAYERS = tuple(
    LayerShape(name=f"layer{place}", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)
    for place in range(12)
)
CONTEXT = StudyContext(
    layers=LAYERS,
    bounds=Bounds(weight=(1, 8), spike=(1, 8), steps=(1, 16)),
    budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (500.0, 900.0)),
    constraints=(),
    seed=0,
    trials=12,
)
DEAREST = LayerBits.uniform(steps=16, spike_bits=7, weight_bits=8)


def reached(proposal: Proposal, accuracy: float, learned: LayerBits = DEAREST) -> TrialResult:
    """What training made of a proposal; a learned one is the same bits everywhere."""
    everywhere = Allocation(layers={layer.name: learned for layer in LAYERS})
    allocation = proposal.allocation if isinstance(proposal, FixedBits) else everywhere
    return TrialResult(proposal=proposal, allocation=allocation, score=accuracy, cost=500.0 + accuracy)


def opened(results: Sequence[TrialResult], context: StudyContext = CONTEXT) -> Strategy:
    strategy = evolution_warm(context)
    strategy.ask()
    strategy.tell(results)
    return strategy


def allocation_of(proposal: Proposal) -> Allocation:
    assert isinstance(proposal, FixedBits)
    return proposal.allocation


def share_of(parents: Sequence[Allocation], values: Parameters) -> float:
    """The share of a child's parameters that equal those of one of the parents."""
    genes = [to_parameters(parent) for parent in parents]
    return sum(any(gene[name] == value for gene in genes) for name, value in values.items()) / len(values)


@pytest.mark.parametrize("trials", [1, 2, 3, 4, 12])
def test_it_opens_with_every_learned_proposal_and_then_the_uniform_ones(trials: int) -> None:
    context = replace(CONTEXT, trials=trials)
    learned, uniform = (kind(context).ask()[:2] for kind in (GradientSearch, UniformSearch))
    assert list(evolution_warm(context).ask()) == [*learned, *uniform][:trials]


def test_a_budget_without_a_uniform_allocation_of_its_own_goes_without() -> None:
    tight = replace(CONTEXT, bounds=Bounds(weight=(1, 1), spike=(1, 1), steps=(1, 1)))
    kinds = [type(proposal) for proposal in evolution_warm(tight).ask()]
    assert kinds == [LearnBits, LearnBits, FixedBits]


def test_the_results_of_the_first_round_are_the_first_parents() -> None:
    asked = evolution_warm(CONTEXT).ask()
    results = [reached(one, 0.5 + place / 10) for place, one in enumerate(asked)]
    parents = [result.allocation for result in results if result.allocation is not None]
    children = list(islice(nsga2_draws(CONTEXT, [results], 5), 20))
    assert all(share_of(parents, child) > 0.8 for child in children)
    learned = to_parameters(parents[0])
    assert any(child[name] == learned[name] for child in children for name in child)


def test_generations_follow_from_the_results_and_without_any_are_random() -> None:
    asked = evolution_warm(CONTEXT).ask()
    good = [reached(one, 0.5 + place / 10) for place, one in enumerate(asked)]
    failed = [TrialResult(proposal=one, allocation=None, score=None, cost=None) for one in asked]
    children, strangers = (opened(results).ask() for results in (good, failed))
    assert len(children) == len(strangers) == 4
    assert not set(map(allocation_of, children)) & set(map(allocation_of, strangers))


def test_a_uniform_allocation_is_not_proposed_again_but_a_learned_one_is() -> None:
    """Of two layers with one or two weight bits, four allocations, three keep a budget of 1.5."""
    tight = replace(
        CONTEXT,
        layers=LAYERS[:2],
        bounds=Bounds(weight=(1, 2), spike=(1, 1), steps=(1, 1)),
        budgets=(Limit(metric="bit_budget", maximum=1.5),),
    )
    low, high = (LayerBits.uniform(steps=1, spike_bits=1, weight_bits=bits) for bits in (1, 2))
    uneven = Allocation(layers={LAYERS[0].name: high, LAYERS[1].name: low})
    learned, uniform = evolution_warm(tight).ask()
    results = [replace(reached(learned, 0.7), allocation=uneven), reached(uniform, 0.6)]
    asked = opened(results, tight).ask()
    assert {allocation_of(uniform), *map(allocation_of, asked)} >= {uneven}
    assert allocation_of(uniform) not in map(allocation_of, asked)


def test_widths_of_channels_are_told_as_their_mean() -> None:
    channels = DEAREST.with_channels([1, 8])
    asked = evolution_warm(CONTEXT).ask()
    results = [reached(one, 0.5 + place / 10, channels) for place, one in enumerate(asked)]
    assert len(opened(results).ask()) == 4
