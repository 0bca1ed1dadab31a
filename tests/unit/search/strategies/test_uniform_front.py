"""Descents through what `uniform` trains one by one, in the shape of those of `gradient-front`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.allocation import Bounds
from models.cost import LayerShape, Limit, limit_cost
from search.strategies import make_strategy
from search.strategy import StudyContext, proposal_from_json, proposal_to_json

LAYERS = tuple(
    LayerShape(name=name, kind="conv", macs=1_000, weights=100, inputs=50, biases=4) for name in ("a", "b")
)


def context(trials: int, bounds: Bounds | None = None) -> StudyContext:
    budgets = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 4.0, 8.0))
    return StudyContext(
        layers=LAYERS,
        bounds=bounds or Bounds(),
        budgets=budgets,
        constraints=(),
        seed=0,
        trials=trials,
    )


def asked(method: str, trials: int, bounds: Bounds | None = None) -> list[Any]:
    return list(make_strategy(method, context(trials, bounds)).ask())


@pytest.mark.parametrize("trials", [3, 6, 12, 25])
def test_it_has_the_stages_and_trials_of_gradient_front(trials: int) -> None:
    ours, theirs = asked("uniform-front", trials), asked("gradient-front", trials)
    assert [(len(one.allocations), one.trials) for one in ours] == [
        (len(one.budgets), one.trials) for one in theirs
    ]


@pytest.mark.parametrize("trials", [3, 6, 12])
def test_it_trains_what_uniform_trains_from_the_dearest_to_the_cheapest(trials: int) -> None:
    (descent,) = asked("uniform-front", trials)
    one_by_one = {str(proposal.allocation.to_json()) for proposal in asked("uniform", trials)}
    assert {str(one.to_json()) for one in descent.allocations} == one_by_one
    costs = [limit_cost(context(trials).budgets[0], LAYERS, one) for one in descent.allocations]
    assert costs == sorted(costs, reverse=True)


def test_a_space_with_one_allocation_is_one_stage_of_all_trials() -> None:
    (descent,) = asked("uniform-front", 5, Bounds(weight=(1, 1), spike=(1, 1), steps=(1, 1)))
    assert (len(descent.allocations), descent.trials) == (1, 5)


def test_of_a_search_space_its_stages_are_uniform_bits_of_the_first_architecture() -> None:
    large, small = (("width", 8),), (("width", 4),)
    tables = {large: LAYERS, small: LAYERS[:1]}
    searching = replace(context(6), settings=large, tables=tables)
    (descent,) = make_strategy("uniform-front", searching).ask()
    (alone,) = make_strategy("uniform-front", context(6)).ask()
    assert descent == replace(alone, settings=large)
    stored = proposal_to_json(descent)
    assert stored["settings"] == {"width": 8}
    assert proposal_from_json(stored) == descent
    assert "settings" not in proposal_to_json(alone)
