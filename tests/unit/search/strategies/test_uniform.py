"""Which uniform allocations are chosen, and in what order."""

from __future__ import annotations

from dataclasses import replace

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from search.strategies.uniform import UniformSearch, spread
from search.strategy import FixedBits, StudyContext

LAYERS = tuple(
    LayerShape(name=name, kind="conv", macs=1_000, weights=weights, inputs=inputs, biases=1)
    for name, weights, inputs in (("a", 7, 30), ("b", 13, 10))
)


def chosen(bounds: Bounds, maxima: tuple[float, ...], trials: int) -> list[tuple[float, int, int, int]]:
    """(budget, steps, spike bits, weight bits) of each proposal."""
    budgets = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in maxima)
    context = StudyContext(
        layers=LAYERS, bounds=bounds, budgets=budgets, constraints=(), seed=0, trials=trials
    )
    found = []
    for proposal in UniformSearch(context).ask():
        assert isinstance(proposal, FixedBits)
        assert len(set(proposal.allocation.layers.values())) == 1
        bits = proposal.allocation["a"]
        assert set(bits.spike_bits) == {bits.spike_bits[0]}
        found.append((proposal.note["budget"], bits.steps, bits.spike_bits[0], bits.weight_bits))
    return found


def test_each_budget_takes_its_dearest_with_few_steps_and_balanced_widths() -> None:
    assert chosen(Bounds(), (2.0, 4.0, 9.0), 3) == [(2.0, 1, 2, 1), (4.0, 1, 2, 2), (9.0, 1, 3, 3)]


def test_later_turns_take_the_next_dearest_under_each_budget() -> None:
    assert chosen(Bounds(steps=(1, 2)), (2.0, 4.0), 5) == [
        (2.0, 1, 2, 1),
        (4.0, 1, 2, 2),
        (2.0, 1, 1, 2),
        (4.0, 1, 4, 1),
        (2.0, 2, 1, 1),
    ]


def test_a_budget_with_nothing_left_leaves_its_turn_to_the_others() -> None:
    bounds = Bounds(weight=(1, 4), spike=(1, 1), steps=(1, 1))
    assert chosen(bounds, (1.0, 4.0), 9) == [(1.0, 1, 1, 1), (4.0, 1, 1, 4), (4.0, 1, 1, 3), (4.0, 1, 1, 2)]


def test_a_last_trial_goes_to_a_greater_budget_when_the_least_holds_no_uniform_allocation() -> None:
    assert chosen(Bounds(weight=(3, 3), spike=(1, 2), steps=(1, 1)), (2.0, 4.0), 1) == [(4.0, 1, 1, 3)]


def test_places_are_spread_from_the_ends_inwards() -> None:
    assert [spread(count) for count in range(4)] == [[], [0], [0, 1], [0, 2, 1]]
    assert spread(9)[:5] == [0, 8, 4, 2, 6]
    assert sorted(spread(9)) == list(range(9))


def test_architectures_take_turns_from_the_ends_of_their_sizes_inwards() -> None:
    tables = {
        (("width", width),): tuple(replace(layer, macs=1_000 * width) for layer in LAYERS)
        for width in (2, 1, 3)
    }
    tables[("width", 9),] = tuple(replace(layer, macs=9_000, inputs=90_000) for layer in LAYERS)
    context = StudyContext(
        layers=next(iter(tables.values())),
        settings=(("width", 2),),
        tables=tables,
        bounds=Bounds(weight=(1, 8), spike=(1, 1), steps=(1, 1)),
        budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 4.0)),
        constraints=(Limit(metric="spike_kib", maximum=1.0),),  # the largest cannot keep it
        seed=0,
        trials=8,
    )
    found = [
        (one.note["budget"], dict(one.settings)["width"], one.allocation["a"].weight_bits)
        for one in UniformSearch(context).ask()
        if isinstance(one, FixedBits)
    ]
    assert found == [
        *((2.0, 3, 2), (4.0, 3, 4), (2.0, 1, 2), (4.0, 1, 4)),
        *((2.0, 2, 2), (4.0, 2, 4), (2.0, 3, 1), (4.0, 3, 3)),
    ]
