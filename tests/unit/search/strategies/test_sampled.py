"""Rounds, redraws and seeds of the strategies that draw samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from search.space import Parameters, to_parameters
from search.strategies.gradient import GradientSearch
from search.strategies.random_search import random_search
from search.strategies.sampled import TRIES, Rounds, SampledSearch, round_seed
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult

NEIGHBOURS = (12.0, 12.5)
"""Too close for a budget between them."""
LAYER = LayerShape(name="a", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)


def context(*maxima: float, trials: int = 9) -> StudyContext:
    budgets = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in maxima)
    return StudyContext(
        layers=(LAYER,), bounds=Bounds(steps=(1, 1)), budgets=budgets, constraints=(), seed=0, trials=trials
    )


class Script:
    """Draws that are known beforehand; counts how many were taken."""

    def __init__(self, *samples: tuple[int, int]) -> None:
        self.samples = samples
        self.taken = 0

    def __call__(self, _: StudyContext, __: Rounds, ___: int) -> Iterator[Parameters]:
        while True:
            spike, weight = self.samples[min(self.taken, len(self.samples) - 1)]
            self.taken += 1
            yield {"a.steps": 1, "a.spike_bits": spike, "a.weight_bits": weight}


def bits(proposals: Sequence[Proposal]) -> list[tuple[float, int, int]]:
    """(budget, spike bits, weight bits) of each proposal."""
    found = []
    for proposal in proposals:
        assert isinstance(proposal, FixedBits)
        values = to_parameters(proposal.allocation)
        found.append((proposal.note["budget"], values["a.spike_bits"], values["a.weight_bits"]))
    return found


def test_a_known_allocation_is_drawn_again() -> None:
    script = Script((3, 4), (3, 4), (4, 3))
    asked = SampledSearch(context(*NEIGHBOURS), name="x", round_size=2, draws=script).ask()
    assert bits(asked) == [(12.0, 3, 4), (12.5, 4, 3)]
    assert script.taken == 3


def test_an_exhausted_budget_leaves_its_turn_to_the_next_one() -> None:
    script = Script((1, 3), (2, 2), *[(1, 3)] * 2 * TRIES, (4, 1))
    study = context(3.9, 4.0)
    strategy = SampledSearch(study, name="x", round_size=2, draws=script)
    first = strategy.ask()
    strategy.tell([TrialResult(proposal=one, allocation=None, score=None, cost=None) for one in first])
    assert bits(first) == [(3.9, 1, 3), (4.0, 2, 2)]
    assert bits(strategy.ask())[0] == (4.0, 4, 1)


def test_trials_to_spare_are_meant_for_budgets_between_the_given_ones() -> None:
    """The same ones as of the methods that learn, so that no method fills in the front alone."""
    study = context(2.0, 32.0, trials=3)
    script = Script((1, 2), (6, 5), (2, 4))
    asked = SampledSearch(study, name="x", round_size=3, draws=script).ask()
    assert bits(asked) == [(2.0, 1, 2), (32.0, 6, 5), (8.0, 2, 4)]
    learned = [proposal.note["budget"] for proposal in GradientSearch(study).ask()]
    assert learned == [budget for budget, *_ in bits(asked)]


def test_a_proposal_is_given_up_after_a_bounded_number_of_draws() -> None:
    script = Script((3, 4))
    asked = SampledSearch(context(*NEIGHBOURS, trials=5), name="x", round_size=5, draws=script).ask()
    assert len(asked) == 1
    assert script.taken == 1 + 3 * TRIES


def test_each_study_method_and_round_has_a_seed_of_its_own() -> None:
    seeds = {round_seed(seed, name, number) for seed in (0, 1) for name in ("a", "b") for number in (0, 1)}
    assert len(seeds) == 8
    assert round_seed(7, "random", 0) == round_seed(7, "random", 0)


def test_the_same_bits_on_another_architecture_are_another_proposal() -> None:
    one_bit = Bounds(weight=(1, 1), spike=(1, 1), steps=(1, 1))
    tables = {(("width", width),): (LAYER,) for width in (1, 2, 3)}
    study = replace(context(*NEIGHBOURS), bounds=one_bit, settings=next(iter(tables)), tables=tables)
    found = random_search(study).ask()
    assert sorted(proposal.settings for proposal in found) == list(tables)
    assert len({proposal.allocation for proposal in found if isinstance(proposal, FixedBits)}) == 1
