"""Which targets the paper's method learns towards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from models.targets import Targets
from search.strategies.gradient_targets import TargetsSearch
from search.strategy import LearnTargets, StudyContext, proposal_from_json, proposal_to_json

LAYER = LayerShape(name="a", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)
CONTEXT = StudyContext(
    layers=(LAYER,),
    bounds=Bounds(),
    budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 8.0)),
    constraints=(),
    seed=0,
    trials=2,
)


def asked(**changes: object) -> list[LearnTargets]:
    found = TargetsSearch(replace(CONTEXT, **changes)).ask()  # type: ignore[arg-type]  # names come from the tests
    return [proposal for proposal in found if isinstance(proposal, LearnTargets)]


def test_without_targets_each_budget_gives_its_own() -> None:
    for proposal, budget in zip(asked(), (2.0, 8.0), strict=True):
        targets = proposal.targets
        assert proposal.budget.maximum == budget
        assert targets.weight * targets.spike * targets.steps == pytest.approx(budget)


def test_given_targets_are_paired_with_the_least_budget_that_they_keep() -> None:
    given = tuple(Targets(weight=w, spike=1.0, steps=1.0) for w in (2.0, 5.0, 6.0))
    found = asked(targets=given, trials=3)
    assert [(p.targets, p.budget.maximum) for p in found] == list(zip(given, (2.0, 8.0, 8.0), strict=True))


def test_targets_over_every_budget_are_fitted_under_the_greatest() -> None:
    (found,) = asked(targets=(Targets(weight=6.0, spike=6.0, steps=3.0),))
    assert found.budget.maximum == 8.0


def test_a_proposal_survives_storage() -> None:
    (proposal, _) = asked()
    assert proposal_from_json(proposal_to_json(proposal)) == proposal
