"""The `optuna-gp` method: Gaussian processes of score and log cost, and the expected gain in hypervolume.

Rounds, budgets, fitting and what is told are those of `optuna-tpe`. The models are fitted again for every
sample, which takes seconds where TPE takes hundredths of one, and grows with the parameters: so the method is
for spaces of at most MOST_PARAMETERS (docs/search.md has the figures), and only the first MODEL_DRAWS samples
of a round come from the models. Those after them, drawn because earlier ones led to known allocations, are
uniformly random.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from optuna.samplers import BaseSampler, GPSampler

from search.space import Parameters
from search.strategies.optuna_search import ROUND_SIZE, OptunaDraws, quiet_logger, startup_trials
from search.strategies.random_search import uniform_draws
from search.strategies.sampled import Rounds, SampledSearch
from search.strategy import Strategy, StudyContext

MOST_PARAMETERS = 30
MODEL_DRAWS = 2 * ROUND_SIZE
"""Samples of one round that the models choose."""


def optuna_gp(context: StudyContext) -> Strategy:
    """Gaussian processes."""
    return SampledSearch(context, name="optuna-gp", round_size=ROUND_SIZE, draws=_draws)


def _draws(context: StudyContext, rounds: Rounds, seed: int) -> Iterator[Parameters]:
    modelled = OptunaDraws(_gp)(context, rounds, seed)
    for _ in range(MODEL_DRAWS):
        with _one_thread(), _quiet():  # not while the caller works on a sample
            sample = next(modelled)
        yield sample
    yield from uniform_draws(context, rounds, seed)


def _gp(context: StudyContext, _: int, seed: int) -> BaseSampler:
    return GPSampler(seed=seed, n_startup_trials=startup_trials(context))


@contextmanager
def _one_thread() -> Iterator[None]:
    """How torch splits a sum between threads may change its last digits, and they what is drawn."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Where a space has hardly a choice left, Optuna weighs its starting points by 0 / 0 and says so."""
    with np.errstate(invalid="ignore"), quiet_logger("optuna._gp.optim_mixed", logging.ERROR):
        yield
