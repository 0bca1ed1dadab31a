"""Every registered method keeps the contract of search/strategy.py."""

from __future__ import annotations

from dataclasses import replace

from models.cost import limit_cost
from search.strategies import methods
from search.strategy import FixedFront, StudyContext, trials_of
from tests.contract.strategy_contract import (
    BUDGETS,
    CONTEXTS,
    ChoosingContract,
    FirstContract,
    SeededContract,
    learned_under,
    proposals_of,
    run,
)


class TestUniform(ChoosingContract):
    method = "uniform"
    least_tried = 6


class TestGradient(FirstContract):
    method = "gradient"


class TestGradientFront(FirstContract):
    method = "gradient-front"

    def test_the_first_proposals_are_for_each_budget_in_turn(self) -> None:
        context = CONTEXTS["three budgets"]
        (descent,) = proposals_of(run(self.make(context), context))
        assert {*BUDGETS} < {*learned_under(descent)}

    def test_every_share_is_used_up(self, context: StudyContext) -> None:
        for trials in (1, 2, 3, 12, 25, 60):
            proposals = self.make(replace(context, trials=trials)).ask()
            assert sum(map(trials_of, proposals)) == trials


class TestUniformFront(FirstContract):
    method = "uniform-front"

    def test_the_first_proposals_are_for_each_budget_in_turn(self) -> None:
        context = CONTEXTS["three budgets"]
        (descent,) = proposals_of(run(self.make(context), context))
        assert isinstance(descent, FixedFront)
        costs = [limit_cost(context.budgets[0], context.layers, one) for one in descent.allocations]
        for budget in context.budgets:
            assert any(0.5 * budget.maximum < cost <= budget.maximum for cost in costs)

    def test_every_share_is_used_up(self, context: StudyContext) -> None:
        for trials in (1, 2, 3, 12, 25, 60):
            proposals = self.make(replace(context, trials=trials)).ask()
            assert sum(map(trials_of, proposals)) == trials


class TestGradientTargets(FirstContract):
    method = "gradient-targets"


class TestHybrid(SeededContract, ChoosingContract):
    method = "hybrid"
    least_tried = 6

    def test_another_seed_asks_something_else(self) -> None:
        """Where there is something to choose: without a search space it has its ladder of budgets alone."""
        context = CONTEXTS["a choice of six architectures"]
        assert list(self.make(context).ask()) != list(self.make(replace(context, seed=99)).ask())


class TestRandom(SeededContract, ChoosingContract):
    method = "random"
    goes_on_after_stops = True
    least_tried = 6


class TestOptunaTpe(SeededContract, ChoosingContract):
    method = "optuna-tpe"
    goes_on_after_stops = True


class TestOptunaGp(SeededContract):
    method = "optuna-gp"
    goes_on_after_stops = True


class TestEvolutionWarm(SeededContract, ChoosingContract):
    method = "evolution-warm"
    goes_on_after_stops = True

    def test_another_seed_asks_something_else(self) -> None:
        """In its generations; the first round is that of every seed."""
        context = CONTEXTS["three budgets"]
        found = [run(self.make(seeded), seeded) for seeded in (context, replace(context, seed=99))]
        first, other = map(proposals_of, found)
        assert first[:6] == other[:6]
        assert first[6:] != other[6:]


class TestOptunaNsga2(SeededContract, ChoosingContract):
    method = "optuna-nsga2"
    goes_on_after_stops = True


def test_every_registered_method_keeps_the_contract() -> None:
    tested = {
        kind.method
        for base in (FirstContract, ChoosingContract, SeededContract)
        for kind in base.__subclasses__()
        if hasattr(kind, "method")
    }
    assert tested == set(methods())
