"""What the Optuna samplers learn from the rounds they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape, Limit
from search.space import (
    Parameters,
    chosen_by,
    parameter_bounds,
    places_of,
    to_allocation,
    to_parameters,
    unused,
)
from search.strategies.optuna_search import LEAST_STARTUP_TRIALS, OptunaDraws, _nsga2, parameters_told, tpe
from search.strategy import FixedBits, StudyContext, TrialResult

LAYERS = tuple(
    LayerShape(name=f"layer{place}", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)
    for place in range(12)
)
CONTEXT = StudyContext(
    layers=LAYERS,
    bounds=Bounds(weight=(1, 8), spike=(1, 8), steps=(1, 16)),
    budgets=(Limit(metric="bit_budget", maximum=1_000.0),),
    constraints=(),
    seed=0,
    trials=12,
)


def flat(share: float) -> Allocation:
    """Every parameter at the same share of its range."""
    bounds = parameter_bounds(CONTEXT)
    return to_allocation(
        {name: round(low + share * (high - low)) for name, (low, high) in bounds.items()}, CONTEXT
    )


def told(allocation: Allocation, accuracy: float | None, cost: float = 10.0) -> TrialResult:
    return TrialResult(
        proposal=FixedBits(allocation=allocation, note={}),
        allocation=None if accuracy is None else allocation,
        score=accuracy,
        cost=None if accuracy is None else cost,
    )


def draw(
    draws: OptunaDraws, rounds: list[list[TrialResult]], count: int = 20, seed: int = 5
) -> list[Parameters]:
    stream = draws(CONTEXT, rounds, seed)
    return [next(stream) for _ in range(count)]


def share_of_genes(values: Parameters, *parents: Allocation) -> float:
    """The share of parameters that equal those of one of the parents."""
    genes = [to_parameters(parent) for parent in parents]
    return sum(any(value == gene[name] for gene in genes) for name, value in values.items()) / len(values)


def test_a_later_generation_recombines_its_parents() -> None:
    parents = (flat(0.0), flat(1.0))
    draws = OptunaDraws(_nsga2)
    children = draw(draws, [[told(parents[0], 0.4, 1.0), told(parents[1], 0.9, 100.0)]])
    assert all(share_of_genes(child, *parents) > 0.8 for child in children)
    mixed = [0.1 < share_of_genes(child, parents[0]) < 0.9 for child in children]
    assert sum(mixed) > len(children) / 2
    first_generation = draw(draws, [])
    assert all(share_of_genes(child, *parents) < 0.6 for child in first_generation)


def test_beaten_individuals_have_no_children() -> None:
    best = [told(flat(share), 0.9, 5.0 + share) for share in (0.0, 0.05, 0.1, 0.15)]
    worst = [told(flat(share), 0.1, 50.0) for share in (0.85, 0.9, 0.95, 1.0)]
    children = draw(OptunaDraws(_nsga2), [worst, best])
    kept = [one.allocation for one in best if one.allocation is not None]
    assert all(share_of_genes(child, *kept) > 0.8 for child in children)


@pytest.mark.parametrize("failed_first", [True, False])
def test_a_round_of_failures_does_not_cost_the_parents(failed_first: bool) -> None:
    parents = (flat(0.0), flat(1.0))
    good = [told(parents[0], 0.4, 1.0), told(parents[1], 0.9, 100.0)]
    bad = [told(flat(0.5), None), told(flat(0.4), None)]
    children = draw(OptunaDraws(_nsga2), [bad, good] if failed_first else [good, bad])
    assert all(share_of_genes(child, *parents) > 0.8 for child in children)


def test_a_single_survivor_has_no_mate_and_the_next_generation_is_random() -> None:
    children = draw(OptunaDraws(_nsga2), [[told(flat(1.0), 0.9)]])
    assert all(share_of_genes(child, flat(1.0)) < 0.6 for child in children)


def test_tpe_leans_to_where_accuracy_was_high_at_equal_cost() -> None:
    good = [told(flat(share), 0.9) for share in (0.8, 0.85, 0.9, 0.95)]
    bad = [told(flat(share), 0.1) for share in (0.0, 0.05, 0.1, 0.15)]
    bounds = parameter_bounds(CONTEXT)

    def height(values: Parameters) -> float:
        return sum(
            (value - bounds[n][0]) / (bounds[n][1] - bounds[n][0]) for n, value in values.items()
        ) / len(bounds)

    assert len(good) >= LEAST_STARTUP_TRIALS
    mean = sum(map(height, draw(OptunaDraws(tpe), [good, bad], count=8))) / 8
    assert mean > 0.6


@pytest.mark.parametrize("sampler", [tpe, _nsga2])
def test_another_round_seed_draws_other_samples(sampler: Callable[..., object]) -> None:
    draws = OptunaDraws(sampler)  # type: ignore[arg-type]  # the parameter only widens the factory's type
    assert draw(draws, [], seed=1) == draw(draws, [], seed=1) != draw(draws, [], seed=2)


def test_a_finished_trial_without_score_is_refused() -> None:
    lost = TrialResult(
        proposal=FixedBits(allocation=flat(0.5), note={}), allocation=flat(0.5), score=None, cost=1.0
    )
    with pytest.raises(ValueError, match="lacks"):
        draw(OptunaDraws(tpe), [[lost]])


DEEP, SHALLOW = (("depth", 2),), (("depth", 1),)
CHOICE = replace(CONTEXT, settings=SHALLOW, layers=LAYERS[:1], tables={SHALLOW: LAYERS[:1], DEEP: LAYERS[:2]})


def test_of_a_layer_that_is_not_there_optuna_is_told_what_was_drawn_or_the_middle() -> None:
    bounds = parameter_bounds(CHOICE)
    bits = LayerBits.uniform(steps=3, spike_bits=4, weight_bits=5)
    allocation = Allocation(layers={"layer0": bits})
    drawn = FixedBits(
        allocation=allocation,
        note={"unused": {"layer1.steps": 2, "layer1.spike_bits": 7, "layer1.weight_bits": 6}},
        settings=SHALLOW,
    )
    result = TrialResult(proposal=drawn, allocation=allocation, score=0.5, cost=1.0)
    found = parameters_told(result, CHOICE, bounds)
    assert list(found.items()) == [
        ("architecture/depth", 0),
        *(("layer0.steps", 3), ("layer0.spike_bits", 4), ("layer0.weight_bits", 5)),
        *(("layer1.steps", 2), ("layer1.spike_bits", 7), ("layer1.weight_bits", 6)),
    ]
    silent = replace(result, proposal=replace(drawn, note={}))
    assert [*parameters_told(silent, CHOICE, bounds).values()][4:] == [8, 4, 4]


def test_an_architecture_is_drawn_by_the_place_of_its_value() -> None:
    samples = [next(OptunaDraws(tpe)(CHOICE, [], seed)) for seed in range(20)]
    assert {chosen_by(values, CHOICE) for values in samples} == {SHALLOW, DEEP}
    assert places_of(DEEP, CHOICE) == {"architecture/depth": 1}
    assert unused(samples[0], CHOICE.on(DEEP)) == {}
    assert {name.split(".")[0] for name in unused(samples[0], CHOICE.on(SHALLOW))} == {"layer1"}


def stopped(allocation: Allocation) -> TrialResult:
    return replace(told(allocation, None), stopped_after=Fraction(1, 4))


@pytest.mark.parametrize("seed", range(6))
def testtpe_turns_away_from_what_was_stopped_early_but_not_from_what_failed(seed: int) -> None:
    context = replace(CONTEXT, layers=LAYERS[:1])

    def shared(share: float) -> Allocation:
        return Allocation(layers={"layer0": flat(share).layers["layer0"]})

    known = [
        *(told(shared(share), 0.9) for share in (0.8, 0.9)),
        *(told(shared(share), 0.1, 20.0) for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
    ]
    first = next(OptunaDraws(tpe)(context, [known], seed))
    drawn = to_allocation(first, context)
    assert next(OptunaDraws(tpe)(context, [[*known, told(drawn, None)]], seed)) == first
    assert next(OptunaDraws(tpe)(context, [[*known, *[stopped(drawn)] * 3]], seed)) != first


@pytest.mark.parametrize("lost", [[], [stopped(flat(0.5))]])
def test_nsga2_has_the_same_children_whatever_was_stopped(lost: list[TrialResult]) -> None:
    parents = [told(flat(0.0), 0.4, 1.0), told(flat(1.0), 0.9, 100.0)]
    assert draw(OptunaDraws(_nsga2), [[*parents, *lost]]) == draw(OptunaDraws(_nsga2), [parents])


def test_a_round_in_which_all_were_stopped_is_no_generation() -> None:
    parents = [told(flat(0.0), 0.4, 1.0), told(flat(1.0), 0.9, 100.0)]
    lost = [stopped(flat(0.5)), stopped(flat(0.4))]
    assert draw(OptunaDraws(_nsga2), [parents, lost]) == draw(OptunaDraws(_nsga2), [parents])


def test_a_trial_that_was_stopped_is_told_with_its_settings_and_its_bits() -> None:
    bits = LayerBits.uniform(steps=3, spike_bits=4, weight_bits=5)
    drawn = FixedBits(
        allocation=Allocation(layers={"layer0": bits}), note={"unused": {"layer1.steps": 2}}, settings=SHALLOW
    )
    lost = TrialResult(proposal=drawn, allocation=None, score=None, cost=None, stopped_after=Fraction(1, 4))
    found = parameters_told(lost, CHOICE, parameter_bounds(CHOICE))
    assert [*found.values()][:5] == [0, 3, 4, 5, 2]
    assert next(OptunaDraws(tpe)(CHOICE, [[lost]], 0))
