"""The random method draws from the whole space, in one round."""

from __future__ import annotations

from itertools import islice

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from search.space import parameter_bounds
from search.strategies.random_search import random_search, uniform_draws
from search.strategy import StudyContext, TrialResult

CONTEXT = StudyContext(
    layers=tuple(
        LayerShape(name=name, kind="conv", macs=1_000, weights=100, inputs=10, biases=1) for name in "abc"
    ),
    bounds=Bounds(weight=(2, 4), spike=(1, 3), steps=(1, 2)),
    budgets=(Limit(metric="bit_budget", maximum=6.0),),
    constraints=(),
    seed=0,
    trials=8,
)


def test_every_integer_within_the_bounds_is_drawn_and_no_other() -> None:
    samples = list(islice(uniform_draws(CONTEXT, [], 0), 200))
    for name, (low, high) in parameter_bounds(CONTEXT).items():
        assert {sample[name] for sample in samples} == set(range(low, high + 1))


def test_the_single_round_uses_all_trials() -> None:
    strategy = random_search(CONTEXT)
    asked = strategy.ask()
    assert len(asked) == CONTEXT.trials
    strategy.tell([TrialResult(proposal=one, allocation=None, score=None, cost=None) for one in asked])
    assert not strategy.ask()
