"""The `optuna-tpe` and `optuna-nsga2` methods: two objectives, score (up) and log cost (down).

The Optuna study lives in memory and is rebuilt from the finished rounds for each new round, so a round
depends on nothing else. What is recorded of a trial are the parameters of its fitted allocation, not those
that were drawn; those of layers that its architecture lacks stay as they were drawn. Samples drawn earlier in
the same round stay in the study as running trials, from which TPE and GPSampler keep away. Trials that were
stopped early are recorded as running ones too, with the parameters of their allocation: their values are not
known, and it is no good to come near (decision 17). Failed trials are left out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from models.allocation import Allocation
from search.space import SETTING, Parameters, parameter_bounds, places_of, to_parameters
from search.strategies.sampled import UNUSED, Rounds, SampledSearch
from search.strategy import FixedBits, Strategy, StudyContext, TrialResult

ROUND_SIZE = 4
"""Trials of one TPE round, and the least population of NSGA-II."""
LEAST_STARTUP_TRIALS, MOST_STARTUP_TRIALS = 4, 10
LEAST_COST = 1e-9
"""Stands for the cost of a point whose neurons never fire, by what is measured: it has a logarithm."""

SamplerFactory = Callable[[StudyContext, int, int], BaseSampler]
"""From (context, generation, seed) to a fresh sampler."""
ParameterBounds = Callable[[StudyContext], Mapping[str, tuple[int, int]]]


class OptunaDraws:
    """Draws of one Optuna sampler for some parameters; picklable, for it holds functions and no study."""

    def __init__(self, make_sampler: SamplerFactory, bounds: ParameterBounds = parameter_bounds) -> None:
        self._make_sampler = make_sampler
        self._bounds = bounds

    def __call__(self, context: StudyContext, rounds: Rounds, seed: int) -> Iterator[Parameters]:
        """Samples for the next round, seen what the finished rounds found."""
        bounds = self._bounds(context)
        distributions = {name: _distribution(name, *ends) for name, ends in bounds.items()}
        generations = [found for finished in rounds if (found := _succeeded(finished))]
        study = _study(self._make_sampler(context, len(generations), seed))
        for generation, finished in enumerate(generations):
            known = [(result, parameters_told(result, context, bounds)) for result in finished]
            study.add_trials([_recorded(*one, generation, distributions) for one in known])
        stopped = [parameters_told(result, context, bounds) for result in _stopped(rounds)]
        study.add_trials([_unfinished(params, distributions) for params in stopped])
        while True:
            yield study.ask(distributions).params


def optuna_tpe(context: StudyContext) -> Strategy:
    """Multivariate tree-structured Parzen estimators."""
    return SampledSearch(context, name="optuna-tpe", round_size=ROUND_SIZE, draws=OptunaDraws(tpe))


def optuna_nsga2(context: StudyContext) -> Strategy:
    """A genetic algorithm; a round is a generation."""
    return SampledSearch(context, name="optuna-nsga2", round_size=population(context), draws=nsga2_draws)


class GenerationalNSGAII(NSGAIISampler):
    """NSGA-II whose new trials belong to a given generation, however few of the last one succeeded."""

    def __init__(self, *, generation: int, population_size: int, seed: int) -> None:
        super().__init__(population_size=population_size, seed=seed)
        self._generation = generation

    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:
        """The recorded generation of a finished trial, the given one of a new trial."""
        recorded: int = trial.system_attrs.get(self._get_generation_key(), self._generation)
        return recorded

    def get_parent_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """The parents of a generation; none (so that it is drawn at random) while there is no pair."""
        parents = super().get_parent_population(study, generation)
        return parents if len(parents) > 1 else []


def startup_trials(context: StudyContext) -> int:
    """How many trials are random before a model is asked."""
    return min(MOST_STARTUP_TRIALS, max(LEAST_STARTUP_TRIALS, context.trials // 3))


def population(context: StudyContext) -> int:
    """The trials of one generation of NSGA-II."""
    return max(ROUND_SIZE, len(context.budgets))


def tpe(context: StudyContext, _: int, seed: int) -> BaseSampler:
    """TPE that takes all parameters together."""
    return TPESampler(
        seed=seed, multivariate=True, n_startup_trials=startup_trials(context), constant_liar=True
    )


def _nsga2(context: StudyContext, generation: int, seed: int) -> BaseSampler:
    return GenerationalNSGAII(generation=generation, population_size=population(context), seed=seed)


nsga2_draws = OptunaDraws(_nsga2)
"""Children of the finished rounds, each of which is a generation."""


def _study(sampler: BaseSampler) -> optuna.Study:
    with quiet_logger("optuna.storages._in_memory", logging.WARNING):  # it notes each new study
        return optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)


def _succeeded(finished: Sequence[TrialResult]) -> list[TrialResult]:
    return [result for result in finished if result.allocation is not None]


def _stopped(rounds: Rounds) -> list[TrialResult]:
    """What was stopped early: trials of given bits, for what learns its bits is never stopped."""
    return [result for finished in rounds for result in finished if result.stopped_after is not None]


def _distribution(name: str, low: int, high: int) -> BaseDistribution:
    """Bits are numbers; the values of a setting need not be."""
    if name.startswith(SETTING):
        return CategoricalDistribution(range(low, high + 1))
    return IntDistribution(low, high)


def parameters_told(
    result: TrialResult, context: StudyContext, bounds: Mapping[str, tuple[int, int]]
) -> dict[str, int]:
    """The parameters of a result in the order of `bounds`, however it was stored.

    Those of a trial that was stopped early are of the allocation that it was given. Those that nothing was
    drawn for and that its architecture lacks are in the middle of their bounds.
    """
    allocation = _allocation_of(result)
    bits = to_parameters(allocation) if allocation else {}
    chosen = places_of(result.proposal.settings, context)
    known = {**chosen, **result.proposal.note.get(UNUSED, {}), **bits}
    return {name: known.get(name, (low + high) // 2) for name, (low, high) in bounds.items()}


def _allocation_of(result: TrialResult) -> Allocation | None:
    if result.allocation is None and isinstance(result.proposal, FixedBits):
        return result.proposal.allocation
    return result.allocation


def _unfinished(params: dict[str, int], distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    return create_trial(state=TrialState.RUNNING, params=params, distributions=distributions)


def _recorded(
    result: TrialResult,
    params: dict[str, int],
    generation: int,
    distributions: dict[str, BaseDistribution],
) -> FrozenTrial:
    if result.score is None or result.cost is None:
        raise ValueError(f"a finished trial lacks its score or cost: {result}")
    return create_trial(
        values=[result.score, math.log(max(result.cost, LEAST_COST))],
        params=params,
        distributions=distributions,
        system_attrs=_generation_mark(generation),
    )


def _generation_mark(generation: int) -> dict[str, Any]:
    return {GenerationalNSGAII._get_generation_key(): generation}


@contextmanager
def quiet_logger(name: str, level: int) -> Iterator[None]:
    """Keep what is below a level out of one log, and leave the rest of logging alone."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
