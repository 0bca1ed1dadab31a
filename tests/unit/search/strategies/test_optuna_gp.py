"""What the Gaussian processes learn, and that torch around them neither matters nor changes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
import torch

from models.allocation import Bounds
from models.cost import LayerShape, Limit, limit_cost
from search.space import Parameters, constrain_sample
from search.strategies.optuna_gp import MODEL_DRAWS, _draws
from search.strategies.random_search import uniform_draws
from search.strategy import FixedBits, StudyContext, TrialResult

CONTEXT = StudyContext(
    layers=tuple(
        LayerShape(name=f"layer{place}", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)
        for place in range(2)
    ),
    bounds=Bounds(weight=(1, 8), spike=(1, 8), steps=(1, 1)),
    budgets=(Limit(metric="bit_budget", maximum=40.0),),
    constraints=(),
    seed=0,
    trials=12,
)


def told(sample: Parameters) -> TrialResult:
    """Only the weight bits of the first layer are of use; all cost."""
    allocation = constrain_sample(sample, CONTEXT, CONTEXT.budgets[0])
    accuracy = allocation.layers["layer0"].weight_bits / 10
    cost = limit_cost(CONTEXT.budgets[0], CONTEXT.layers, allocation)
    proposal = FixedBits(allocation=allocation, note={})
    return TrialResult(proposal=proposal, allocation=allocation, score=accuracy, cost=cost)


ROUNDS = [[told(sample) for sample in islice(uniform_draws(CONTEXT, [], 3), 10)]]


def drawn(count: int, seed: int = 5) -> list[Parameters]:
    return list(islice(_draws(CONTEXT, ROUNDS, seed), count))


@pytest.fixture(autouse=True)
def same_torch_after() -> Iterator[None]:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    yield
    torch.set_rng_state(state)
    torch.set_num_threads(threads)


def test_samples_do_not_depend_on_the_threads_or_the_random_state_of_torch() -> None:
    seen = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(threads)
        before = torch.get_rng_state()
        seen.append(drawn(2))
        assert torch.get_num_threads() == threads
        assert torch.equal(torch.get_rng_state(), before)
    assert seen[0] == seen[1]


def test_torch_has_one_thread_in_a_draw_and_all_of_them_between_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def ask(*_: object) -> Iterator[Parameters]:
        while True:
            threads.append(torch.get_num_threads())
            yield {}

    monkeypatch.setattr("search.strategies.optuna_gp.OptunaDraws", lambda _: ask)
    torch.set_num_threads(2)
    for _ in islice(_draws(CONTEXT, ROUNDS, 5), 2):
        threads.append(torch.get_num_threads())
    assert threads == [1, 2, 1, 2]


def test_it_leans_to_bits_that_are_of_use() -> None:
    def lead(sample: Parameters) -> int:
        return sample["layer0.weight_bits"] - sample["layer1.weight_bits"]

    assert sum(map(lead, drawn(4))) / 4 > 1.5


def test_after_a_bounded_number_of_samples_of_a_round_the_rest_are_random() -> None:
    samples = drawn(MODEL_DRAWS + 3)
    assert samples[MODEL_DRAWS:] == list(islice(uniform_draws(CONTEXT, ROUNDS, 5), 3))


def test_what_optuna_says_of_a_space_without_a_choice_is_kept_quiet_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.name)  # type: ignore[method-assign]  # the shortest one

    def ask(*_: object) -> Iterator[Parameters]:
        for name in ("optuna._gp.optim_mixed", "optuna._gp.gp"):
            logging.getLogger(name).warning("as Optuna would")
        yield {"weight": int(np.isnan(np.zeros(1) / np.zeros(1)).sum())}

    monkeypatch.setattr("search.strategies.optuna_gp.OptunaDraws", lambda _: ask)
    logging.getLogger("optuna").addHandler(handler)
    try:
        assert next(_draws(CONTEXT, ROUNDS, 5)) == {"weight": 1}
    finally:
        logging.getLogger("optuna").removeHandler(handler)
    assert seen == ["optuna._gp.gp"]
    assert not recwarn.list
