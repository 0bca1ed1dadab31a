"""The registry names every method and refuses the rest."""

from __future__ import annotations

import pytest

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from models.errors import UnknownNameError
from search.strategies import make_strategy, methods
from search.strategy import StudyContext

CONTEXT = StudyContext(
    layers=(LayerShape(name="a", kind="conv", macs=1_000, weights=100, inputs=10, biases=1),),
    bounds=Bounds(),
    budgets=(Limit(metric="bit_budget", maximum=4.0),),
    constraints=(),
    seed=0,
    trials=4,
)


def test_the_methods_are_registered_under_their_own_names() -> None:
    assert list(methods()) == [
        *("gradient", "gradient-front", "gradient-targets", "hybrid", "hybrid-front", "hybrid-uniform"),
        *("optuna-tpe", "optuna-nsga2", "optuna-gp", "evolution-warm", "random"),
        *("uniform", "uniform-front"),
    ]
    assert all(name == method.name and method.summary for name, method in methods().items())


@pytest.mark.parametrize("name", list(methods()))
def test_every_method_makes_a_strategy_that_asks(name: str) -> None:
    assert len(make_strategy(name, CONTEXT).ask()) > 0


def test_an_unknown_method_is_refused_with_the_known_names() -> None:
    with pytest.raises(
        UnknownNameError, match=r"gradient-targets, hybrid, hybrid-front, hybrid-uniform, optuna-tpe"
    ) as caught:
        make_strategy("genetics", CONTEXT)
    assert caught.value.pointer == "/methods"
