"""The contract of search/strategy.py, written once; test_strategies.py inherits it for every method."""

from __future__ import annotations

import logging
import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from models.cost import Limit, within
from models.repair import check_feasible
from search.strategies import make_strategy
from search.strategy import (
    FixedBits,
    FixedFront,
    Strategy,
    StudyContext,
    proposal_to_json,
    trials_of,
)
from tests.contract.strategy_contexts import CONTEXTS, searching
from tests.contract.strategy_trainings import (
    Train,
    fail,
    fail_at_first,
    fail_most,
    given,
    layers_of,
    learned_under,
    proposals_of,
    run,
    stop_most,
    stored,
    train,
    trained,
)


@contextmanager
def _records_of(logger_name: str) -> Iterator[list[logging.LogRecord]]:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]  # the shortest collecting handler
    logging.getLogger(logger_name).addHandler(handler)
    try:
        yield records
    finally:
        logging.getLogger(logger_name).removeHandler(handler)


class StrategyContract:
    """What every strategy keeps; a subclass names its method."""

    method: str

    @pytest.fixture(params=CONTEXTS)
    def context(self, request: pytest.FixtureRequest) -> StudyContext:
        return CONTEXTS[request.param]

    def make(self, context: StudyContext) -> Strategy:
        return make_strategy(self.method, context)

    def test_the_same_is_asked_until_a_round_is_told(self, context: StudyContext) -> None:
        strategy = self.make(context)
        first = list(strategy.ask())
        assert first
        assert list(strategy.ask()) == first

    def test_a_strategy_rebuilt_from_stored_rounds_asks_the_same(self, context: StudyContext) -> None:
        rounds = run(self.make(context), context)
        for finished in range(len(rounds) + 1):
            rebuilt = self.make(context)
            for results in rounds[:finished]:
                rebuilt.tell(stored(results))
            expected = [r.proposal for r in rounds[finished]] if finished < len(rounds) else []
            assert list(rebuilt.ask()) == expected

    def test_a_pickled_strategy_asks_the_same(self, context: StudyContext) -> None:
        strategy = self.make(context)
        copy = pickle.loads(pickle.dumps(strategy))  # noqa: S301 - our own bytes
        assert proposals_of(run(copy, context)) == proposals_of(run(strategy, context))

    @pytest.mark.parametrize("how", [train, fail, fail_most, fail_at_first])
    def test_every_proposal_keeps_its_budget_and_the_constraints(
        self, context: StudyContext, how: Train
    ) -> None:
        maxima = {budget.maximum for budget in context.budgets}
        for proposal in proposals_of(run(self.make(context), context, how)):
            layers = layers_of(context, proposal)
            if isinstance(proposal, FixedBits):
                assert proposal.note["budget"] <= max(maxima)
                budget = replace(context.budgets[0], maximum=proposal.note["budget"])
                assert within((budget, *context.constraints), layers, proposal.allocation)
            elif isinstance(proposal, FixedFront):
                limits = (context.budgets[-1], *context.constraints)
                assert all(within(limits, layers, one) for one in given(proposal))
            else:
                budgets = [budget.maximum for budget in learned_under(proposal)]
                assert budgets == sorted(set(budgets), reverse=True)
                assert proposal.note.get("budgets", [proposal.note["budget"]]) == budgets
                assert budgets[0] <= max(maxima)
                limits = (*learned_under(proposal), *context.constraints)
                check_feasible(layers, context.bounds, limits)

    @pytest.mark.parametrize("how", [train, fail, fail_most, fail_at_first])
    def test_a_study_ends_within_its_trials_and_repeats_nothing(
        self, context: StudyContext, how: Train
    ) -> None:
        strategy = self.make(context)
        proposals = proposals_of(run(strategy, context, how))
        assert 1 <= sum(map(trials_of, proposals)) <= context.trials
        what = [one for proposal in proposals for one in trained(proposal)]
        assert len(set(what)) == len(what)
        assert not strategy.ask()

    goes_on_after_stops = False
    """Whether it has further rounds for the compute that stopped trials leave."""

    def test_what_stopped_trials_leave_goes_to_further_ones_and_no_more(self) -> None:
        context = replace(CONTEXTS["three budgets"], stops_early=True)
        rounds = run(self.make(context), context, stop_most)
        used = sum(result.used for finished in rounds for result in finished)
        fixed = [one.allocation for one in proposals_of(rounds) if isinstance(one, FixedBits)]
        assert len(set(fixed)) == len(fixed)
        assert used <= context.trials
        if self.goes_on_after_stops:
            assert len(proposals_of(rounds)) > context.trials
            assert used > context.trials - 1

    def test_rebuilt_from_stopped_trials_it_asks_the_same(self) -> None:
        context = replace(CONTEXTS["three budgets"], stops_early=True)
        rounds = run(self.make(context), context, stop_most)
        rebuilt = self.make(context)
        for finished in rounds:
            assert list(rebuilt.ask()) == [result.proposal for result in finished]
            rebuilt.tell(stored(finished))

    def test_a_roomy_space_uses_all_its_trials(self) -> None:
        context = CONTEXTS["three budgets"]
        assert sum(map(trials_of, proposals_of(run(self.make(context), context)))) == context.trials

    def test_the_first_proposals_are_for_each_budget_in_turn(self) -> None:
        context = CONTEXTS["three budgets"]
        notes = [proposal.note["budget"] for proposal in proposals_of(run(self.make(context), context))]
        assert notes[:3] == [2.0, 4.0, 9.0]

    def test_global_random_states_neither_matter_nor_change(self) -> None:
        context = CONTEXTS["three budgets"]
        seen = []
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)
            before = (random.getstate(), np.random.get_state()[1].tolist())
            seen.append(proposals_of(run(self.make(context), context)))
            assert (random.getstate(), np.random.get_state()[1].tolist()) == before
        assert seen[0] == seen[1]

    def test_nothing_is_printed_or_logged(
        self, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
    ) -> None:
        context = CONTEXTS["three budgets"]
        with _records_of("optuna") as records:  # it keeps its records from the root logger
            run(self.make(context), context)
        assert capfd.readouterr() == ("", "")
        assert not recwarn.list
        assert not records

    def test_a_proposal_without_a_search_space_is_stored_without_settings(self) -> None:
        for name, context in CONTEXTS.items():
            stored = [proposal_to_json(proposal) for proposal in self.make(context).ask()]
            assert {"settings" in one for one in stored} == {bool(context.tables)}, name


class FirstContract(StrategyContract):
    """What the strategies keep besides that choose no architecture."""

    def test_a_search_space_is_left_at_its_first_architecture(self) -> None:
        context = CONTEXTS["a choice of six architectures"]
        alone = self.make(context.first).ask()
        assert alone == self.make(context).ask()
        assert {proposal.settings for proposal in alone} == {context.settings}

    def test_budgets_end_where_the_first_architecture_does(self) -> None:
        budget = Limit(metric="weight_kib", maximum=2.0)
        context = searching({"width": [8, 4], "depth": [2, 3]}, (budget,))
        assert self.make(context).ask() == self.make(context.first).ask()


class ChoosingContract(StrategyContract):
    """What the strategies keep besides that choose an architecture."""

    least_tried = 3
    """Of six architectures in forty trials: those that learn from results are soon sure of a few."""

    def test_several_architectures_are_tried(self) -> None:
        context = replace(CONTEXTS["a choice of six architectures"], trials=40)
        found = proposals_of(run(self.make(context), context))
        tried = {proposal.settings for proposal in found}
        assert self.least_tried <= len(tried)
        assert tried <= set(context.tables)

    def test_architectures_that_cannot_keep_the_limits_are_never_tried(self) -> None:
        context = replace(CONTEXTS["architectures that are too large"], trials=40)
        found = proposals_of(run(self.make(context), context))
        widths = {dict(proposal.settings)["width"] for proposal in found}
        assert widths == {4, 8}


class SeededContract(StrategyContract):
    """What the strategies that draw at random keep besides."""

    def test_another_seed_asks_something_else(self) -> None:
        context = CONTEXTS["three budgets"]
        assert list(self.make(context).ask()) != list(self.make(replace(context, seed=99)).ask())
