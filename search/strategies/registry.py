"""The methods that a job may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.allocation import Bounds
from models.errors import UnknownNameError
from models.layers import LayerOptions
from models.targets import target_bounds
from search.strategies.evolution_warm import evolution_warm
from search.strategies.gradient import GradientSearch
from search.strategies.gradient_front import FrontSearch
from search.strategies.gradient_targets import TargetsSearch
from search.strategies.hybrid import HybridSearch
from search.strategies.hybrid_front import HybridFrontSearch
from search.strategies.hybrid_uniform import HybridUniformSearch
from search.strategies.optuna_gp import MOST_PARAMETERS, optuna_gp
from search.strategies.optuna_search import optuna_nsga2, optuna_tpe
from search.strategies.random_search import random_search
from search.strategies.uniform import UniformSearch
from search.strategies.uniform_front import UniformFrontSearch
from search.strategy import Strategy, StrategyFactory, StudyContext


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A registered way to find allocations."""

    name: str
    summary: str
    factory: StrategyFactory
    learning_bounds: Callable[[LayerOptions], Bounds] | None = None
    """Of a method that learns bits while it trains: the bounds that it learns them in."""
    searches: bool = True
    """Whether it looks for bits that differ between layers; a baseline does not."""
    most_parameters: int | None = None
    """Of a method for small spaces: how many parameters it takes at most."""
    needs_search_space: bool = False
    """Of a method that searches architecture; others that learn bits learn them on the first architecture."""
    trains_first: bool = False
    """Of a method that learns no bits and keeps to the first architecture of a search space."""


_ALL = (
    Method(
        name="gradient",
        summary="Learns the bits of every layer by gradient while it trains, under the budget itself.",
        factory=GradientSearch,
        learning_bounds=LayerOptions.learning_bounds,
    ),
    Method(
        name="gradient-front",
        summary="Learns bits by gradient under every budget in one training, from the greatest down.",
        factory=FrontSearch,
        learning_bounds=LayerOptions.learning_bounds,
    ),
    Method(
        name="gradient-targets",
        summary="Learns bits by gradient towards a target each for mean steps, spike bits and weight bits.",
        factory=TargetsSearch,
        learning_bounds=target_bounds,
    ),
    Method(
        name="hybrid",
        summary="Searches architecture by Optuna, bits by gradient in each trial; needs search_space.",
        factory=HybridSearch,
        learning_bounds=LayerOptions.learning_bounds,
        needs_search_space=True,
    ),
    Method(
        name="hybrid-front",
        summary="Searches architecture by Optuna, training each through every budget; needs search_space.",
        factory=HybridFrontSearch,
        learning_bounds=LayerOptions.learning_bounds,
        needs_search_space=True,
    ),
    Method(
        name="hybrid-uniform",
        summary="Searches architecture as hybrid-front, with uniform bits: that without the learning.",
        factory=HybridUniformSearch,
        searches=False,
        needs_search_space=True,
    ),
    Method(
        name="optuna-tpe",
        summary="Optuna's multivariate tree-structured Parzen estimators on the objective and cost.",
        factory=optuna_tpe,
    ),
    Method(
        name="optuna-nsga2",
        summary="Optuna's NSGA-II, a genetic algorithm, on the objective and cost.",
        factory=optuna_nsga2,
    ),
    Method(
        name="optuna-gp",
        summary=f"Optuna's Gaussian processes on objective and cost; at most {MOST_PARAMETERS} parameters.",
        factory=optuna_gp,
        most_parameters=MOST_PARAMETERS,
    ),
    Method(
        name="evolution-warm",
        summary="NSGA-II whose first parents are the gradient's and the uniform results under each budget.",
        factory=evolution_warm,
        learning_bounds=LayerOptions.learning_bounds,
    ),
    Method(name="random", summary="Random allocations, each fitted under its budget.", factory=random_search),
    Method(
        name="uniform",
        summary="The same bits in every layer; runs in every job as the baseline.",
        factory=UniformSearch,
        searches=False,
    ),
    Method(
        name="uniform-front",
        summary="Uniform allocations in one training, the dearest first: gradient-front without learning.",
        factory=UniformFrontSearch,
        searches=False,
        trains_first=True,
    ),
)


def methods() -> Mapping[str, Method]:
    """Every registered method by name."""
    return {method.name: method for method in _ALL}


def make_strategy(name: str, context: StudyContext) -> Strategy:
    """A fresh strategy of a method. Raises UnknownNameError for a name that is not registered."""
    known = methods()
    if name not in known:
        raise UnknownNameError(
            f"there is no method {name!r}.", fix=f"Use one of {', '.join(known)}.", pointer="/methods"
        )
    return known[name].factory(context)
