"""The `hybrid-uniform` method: the descents of `hybrid-front`, through what `uniform` would train."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.cost import limit_cost, within
from search.strategies.hybrid_front import HybridFrontSearch
from search.strategies.hybrid_uniform import HybridUniformSearch
from search.strategies.uniform import uniform_proposals
from search.strategy import Descent, FixedFront, LearnFront
from tests.unit.search.strategies.architectures import context_of

CONTEXT = replace(context_of({"width": [1, 2, 3, 4, 5, 6], "kernel": [3, 5], "depth": [1, 2]}), trials=13)


def descents(kind: type[HybridFrontSearch]) -> list[Descent]:
    """The first round of a study."""
    found = [one for one in kind(CONTEXT).ask() if isinstance(one, LearnFront | FixedFront)]
    assert found
    return found


@pytest.fixture(scope="module")
def uniform() -> list[FixedFront]:
    return [one for one in descents(HybridUniformSearch) if isinstance(one, FixedFront)]


def test_descents_are_as_many_and_as_long_as_those_it_is_the_control_of(uniform: list[FixedFront]) -> None:
    learned = descents(HybridFrontSearch)
    assert [one.trials for one in uniform] == [one.trials for one in learned]
    stages = [len(one.budgets) for one in learned if isinstance(one, LearnFront)]
    assert [len(one.allocations) for one in uniform] == stages


def test_a_stage_is_what_uniform_would_train_on_that_architecture(uniform: list[FixedFront]) -> None:
    for descent in uniform:
        alone = replace(CONTEXT.on(descent.settings), trials=len(descent.allocations))
        assert set(descent.allocations) == {one.allocation for one in uniform_proposals(alone)}
        for allocation in descent.allocations:
            assert len({bits for _, bits in allocation}) == 1


def test_the_dearest_comes_first_and_all_keep_the_greatest_budget(uniform: list[FixedFront]) -> None:
    for descent in uniform:
        layers, greatest = CONTEXT.tables[descent.settings], CONTEXT.budgets[-1]
        costs = [limit_cost(greatest, layers, one) for one in descent.allocations]
        assert costs == sorted(costs, reverse=True)
        assert all(within((greatest,), layers, one) for one in descent.allocations)
