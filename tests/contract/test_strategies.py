"""Every registered method keeps the contract of search/strategy.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from models.cost import limit_cost
from models.repair import check_feasible
from search.architecture import Chosen
from search.job import JobSpec
from search.objective import Measured, score_of
from search.strategies import methods
from search.strategy import FixedFront, Proposal, StudyContext, TrialResult, trials_of
from tests.contract.strategy_contexts import BUDGETS, CONTEXTS
from tests.contract.strategy_contract import (
    ChoosingContract,
    FirstContract,
    SeededContract,
    StrategyContract,
)
from tests.contract.strategy_trainings import learned_under, proposals_of, run, train
from workers.planning import plan_job, study_context


class TestUniform(ChoosingContract):
    method = "uniform"
    least_tried = 6


class TestGradient(FirstContract):
    method = "gradient"


class DescendingContract(StrategyContract):
    """What the strategies keep besides whose proposals are descents."""

    def test_every_share_is_used_up(self, context: StudyContext) -> None:
        for trials in (1, 2, 3, 12, 25, 60):
            some = replace(context, trials=trials)
            assert sum(map(trials_of, proposals_of(run(self.make(some), some)))) == trials


class LearningFrontContract(DescendingContract):
    def test_the_first_proposals_are_for_each_budget_in_turn(self) -> None:
        context = CONTEXTS["three budgets"]
        (descent,) = proposals_of(run(self.make(context), context))
        assert {*BUDGETS} < {*learned_under(descent)}


class TestGradientFront(LearningFrontContract, FirstContract):
    method = "gradient-front"


class UniformFrontContract(DescendingContract):
    def test_the_first_proposals_are_for_each_budget_in_turn(self) -> None:
        context = CONTEXTS["three budgets"]
        (descent,) = proposals_of(run(self.make(context), context))
        assert isinstance(descent, FixedFront)
        costs = [limit_cost(context.budgets[0], context.layers, one) for one in descent.allocations]
        for budget in context.budgets:
            assert any(0.5 * budget.maximum < cost <= budget.maximum for cost in costs)


class TestUniformFront(UniformFrontContract, FirstContract):
    method = "uniform-front"


class TestGradientTargets(FirstContract):
    method = "gradient-targets"


class DrawnContract(SeededContract, ChoosingContract):
    least_tried = 6

    def test_another_seed_asks_something_else(self) -> None:
        """Where there is something to choose: without a search space budgets alone are left."""
        context = CONTEXTS["a choice of six architectures"]
        assert list(self.make(context).ask()) != list(self.make(replace(context, seed=99)).ask())


class TestHybrid(DrawnContract):
    method = "hybrid"

    def test_a_job_for_balanced_accuracy_under_cycles_is_searched_by_both(self, tmp_path: Path) -> None:
        """Told scores by the objective, it tries the network more that is the better one by that alone."""
        small, tried = (("width", 4),), {}
        for objective in ("balanced_accuracy", "accuracy"):
            spec = JobSpec.model_validate(BALANCED | {"objective": objective})
            context = study_context(spec, plan_job(spec, tmp_path), seed=0)
            proposals = proposals_of(run(self.make(context), context, partial(balanced_where, small, spec)))
            tried[objective] = [proposal.settings for proposal in proposals].count(small)
            for proposal in proposals:
                limits, layers = learned_under(proposal), context.architectures[proposal.settings]
                assert limits[0].basis == spec.cost_basis()
                check_feasible(layers, context.bounds, limits)
        assert tried["balanced_accuracy"] > tried["accuracy"]


class TestHybridFront(LearningFrontContract, DrawnContract):
    method = "hybrid-front"


class TestHybridUniform(UniformFrontContract, DrawnContract):
    method = "hybrid-uniform"


def balanced_where(
    settings: Chosen, spec: JobSpec, context: StudyContext, place: int, proposal: Proposal
) -> TrialResult:
    """On one architecture classes are equally well predicted, on the others the frequent ones alone."""
    right = proposal.settings == settings
    split = Measured(accuracy=0.2 if right else 0.9, balanced_accuracy=0.9 if right else 0.2)
    return replace(train(context, place, proposal), score=score_of(spec.objective, split))


BALANCED = {
    "name": "balanced",
    "architecture": {"name": "conv-net"},
    "search_space": {"width": [16, 4, 8, 12]},
    "dataset": {"name": "digits"},
    "budget": {"metric": "cycles", "max": [200_000, 400_000, 800_000]},
    "hardware": {"rows": 8},
    "methods": ["hybrid"],
    "compute": {"trials_per_study": 24},
}


class TestRandom(SeededContract, ChoosingContract):
    method = "random"
    goes_on_after_stops = True
    least_tried = 6


class TestOptunaTpe(SeededContract, ChoosingContract):
    method = "optuna-tpe"
    goes_on_after_stops = True


LIKE_OTHERS = ("cycles and energy", "a measured cost", "a table of its own", "architectures by cycles")
"""Contexts that differ from others in their costs alone, of which a sampler sees one number."""


class TestOptunaGp(SeededContract):
    method = "optuna-gp"
    goes_on_after_stops = True

    @pytest.fixture(params=[name for name in CONTEXTS if name not in LIKE_OTHERS])
    def context(self, request: pytest.FixtureRequest) -> StudyContext:
        """A round of fitted processes takes a second: one context of each kind, and one such round."""
        found = CONTEXTS[request.param]
        return replace(found, trials=min(found.trials, 7))


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


def kinds(base: type[StrategyContract]) -> Iterator[type[StrategyContract]]:
    """A contract's subclasses, and theirs."""
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_registered_method_keeps_the_contract() -> None:
    tested = {kind.method for kind in kinds(StrategyContract) if hasattr(kind, "method")}
    assert tested == set(methods())
