"""Exchanged bits and added steps: coarse budgets are used, and never at the cost of a limit."""

import statistics
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape, Limit, limit_cost, within
from models.repair import fit
from models.slack import FEW, NEAR, used_share
from models.wish import LayerWish

WEIGHTS_ONLY = Bounds(weight=(1, 8), spike=(1, 1), steps=(1, 1))
BOUNDS = Bounds(weight=(1, 5), spike=(1, 4), steps=(1, 2))
BINARY_SPIKES = Bounds(weight=(1, 2), spike=(1, 1), steps=(1, 4))
KINDS = ((1, -1), (1, 1, -1), (1, -1, -1))
"""The changes of an exchange, in any order and of any widths."""


def row(name, macs, **counts):
    return LayerShape(
        name=name, kind="conv", macs=macs, **{"weights": macs, "inputs": macs, "biases": 1} | counts
    )


def weights_wish(*wished):
    return {
        f"l{place}": LayerWish(steps=1.0, spike_bits=(1.0,), weight_bits=bits)
        for place, bits in enumerate(wished)
    }


def weights_fitted(wished, macs, *limits):
    """The weight bits that a fit gives layers of one step and one spike bit."""
    table = [row(f"l{place}", count) for place, count in enumerate(macs)]
    found = fit(weights_wish(*wished), table, WEIGHTS_ONLY, list(limits))
    return [bits.weight_bits for _, bits in found]


def ace(maximum):
    return Limit(metric="s_ace", maximum=maximum)


def test_a_bit_of_a_wide_layer_goes_for_one_of_a_narrow_one_where_that_uses_the_budget():
    # 2 * 300 + 6 * 200 = 1800; a bit more costs 200 or 300, one for the other 100.
    assert weights_fitted((2.0, 6.0), (300, 200), ace(1900)) == [3, 5]
    assert weights_fitted((2.0, 6.0), (300, 200), ace(1818)) == [2, 6]  # 99 % are used as it is
    assert weights_fitted((2.0, 6.0), (300, 200), ace(1890)) == [2, 6]  # an exchange would break the limit


def test_no_exchange_makes_more_noise_than_it_removes():
    assert weights_fitted((2.0, 2.0), (300, 200), ace(1100)) == [2, 2]  # binary weights would use all of it
    assert weights_fitted((4.0, 4.0), (300, 200), ace(2100)) == [4, 4]


def test_two_bits_go_for_one_and_one_for_two():
    assert weights_fitted((6.0, 2.0), (500, 300), ace(3700)) == [5, 4]
    assert weights_fitted((2.0, 8.0), (700, 300), ace(3900)) == [3, 6]


def test_of_the_exchanges_that_use_the_budget_the_nearest_to_the_wish_is_taken():
    limit = ace(3700)  # 2 * 300 + 6 * 200 twice is 3600; a bit of a wide layer for one of a narrow one is 100
    assert weights_fitted((2.4, 6.0, 2.0, 5.6), (300, 200, 300, 200), limit) == [3, 6, 2, 5]
    assert weights_fitted((2.0, 5.6, 2.4, 6.0), (300, 200, 300, 200), limit) == [2, 5, 3, 6]


def test_where_none_comes_near_the_one_that_uses_the_most_is_taken():
    # 2 * 400 + 6 * 300 = 2600 of 2750 is 94.5 %; one bit for another makes 2700, still only 98.2 %.
    assert weights_fitted((2.0, 6.0), (400, 300), ace(2750)) == [3, 5]
    # A gain of under 1 % is not worth moving away from the wish.
    assert weights_fitted((2.0, 6.0), (301, 300), ace(2450)) == [2, 6]


def test_a_limit_that_is_used_leaves_nothing_to_exchange():
    memory = Limit(metric="weight_kib", maximum=(8 * 300 + 32 * 6) / 8192, scope="searched")
    table = [row("l0", 300, weights=300), row("l1", 200, weights=300)]
    held = fit(weights_wish(2.0, 6.0), table, WEIGHTS_ONLY, [ace(1900), memory])
    assert [bits.weight_bits for _, bits in held] == [2, 6]
    free = fit(weights_wish(2.0, 6.0), table, WEIGHTS_ONLY, [ace(1900)])
    assert [bits.weight_bits for _, bits in free] == [3, 5]


def test_steps_stay_and_spikes_move_at_the_step_that_is_nearest():
    table = [row("l0", 300), row("l1", 200)]
    wish = {
        "l0": LayerWish(steps=2.0, spike_bits=(2.0, 2.4), weight_bits=1.0),
        "l1": LayerWish(steps=2.0, spike_bits=(3.6, 4.0), weight_bits=1.0),
    }
    found = fit(wish, table, replace(BOUNDS, weight=(1, 1)), [ace(2900)])
    assert [bits.spike_bits for _, bits in found] == [(2, 3), (3, 4)]


def steps_fitted(limit, bounds=BINARY_SPIKES, **counts):
    table = [row("l0", 300, **counts), row("l1", 200, **counts)]
    wish = {
        "l0": LayerWish(steps=1.2, spike_bits=(1.0, 3.0, 1.0, 1.0), weight_bits=2.0),
        "l1": LayerWish(steps=1.4, spike_bits=(1.0, 3.0, 1.0, 1.0), weight_bits=2.0),
    }
    return fit(wish, table, bounds, [limit])


def test_where_bits_are_at_their_bounds_the_step_nearest_to_the_wish_is_added():
    # 2 * 300 + 2 * 200 = 1000: nothing but steps is left, for 600 or for 400.
    assert [bits.steps for _, bits in steps_fitted(ace(1400))] == [1, 2]
    assert [bits.steps for _, bits in steps_fitted(ace(2000))] == [2, 2]
    assert [bits.steps for _, bits in steps_fitted(ace(1399))] == [1, 1]  # neither fits
    assert [bits.steps for _, bits in steps_fitted(ace(1010))] == [1, 1]  # 99 % are used as it is


def test_a_step_has_as_many_spike_bits_as_fit():
    bounds = replace(BINARY_SPIKES, weight=(2, 2), spike=(1, 3), steps=(1, 2))
    # Three spike bits in both layers are 3000, another one of the second 400.
    assert [bits.spike_bits for _, bits in steps_fitted(ace(4200), bounds)] == [(3,), (3, 3)]
    assert [bits.spike_bits for _, bits in steps_fitted(ace(3400), bounds)] == [(3,), (3, 1)]


def test_a_step_is_not_added_for_the_memory_of_its_step_size():
    memory = Limit(metric="weight_kib", maximum=1000.0, scope="searched")
    assert [bits.steps for _, bits in steps_fitted(memory, weights=1_000_000)] == [1, 1]
    small = replace(memory, maximum=0.06)
    assert [bits.steps for _, bits in steps_fitted(small, weights=10)] == [4, 4]


def test_wide_networks_exchange_one_width_for_one_alone():
    def fitted(layers):
        # 6 * 500 + 2 * 300 = 3600 of 3700: only two bits of the second for one of the first use that. The
        # other layers are tiny and have all of their bits.
        others = layers - 2
        limit = ace(3700 + 8 * others)
        return weights_fitted((6.0, 2.0, *[8.0] * others), (500, 300, *[1] * others), limit)

    assert fitted(FEW)[:2] == [5, 4]
    assert fitted(FEW + 1)[:2] == [6, 2]


@st.composite
def coarse(draw):
    """A small network of few different sizes, a wish, and a budget within reach."""
    macs = draw(st.lists(st.sampled_from((200, 300, 450)), min_size=2, max_size=3))
    table = [row(f"l{place}", count, inputs=count // 2) for place, count in enumerate(macs)]
    wish = {
        layer.name: LayerWish(
            steps=draw(st.floats(1, 2)),
            spike_bits=draw(st.tuples(*[st.floats(1, 4)] * 2)),
            weight_bits=draw(st.floats(1, 5)),
        )
        for layer in table
    }
    metric = draw(st.sampled_from(("s_ace", "bit_budget", "weight_kib", "energy_uj")))
    least = fit_least(table, metric)
    return table, wish, Limit(metric=metric, maximum=least * draw(st.floats(1.5, 20)), scope="searched")


def fit_least(table, metric):
    alike = {layer.name: LayerBits.uniform(steps=1, spike_bits=1, weight_bits=1) for layer in table}
    return limit_cost(Limit(metric=metric, maximum=1, scope="searched"), table, Allocation(layers=alike))


@given(setting=coarse())
@settings(max_examples=40, deadline=None)
def test_what_is_left_unused_no_quiet_exchange_could_use(setting):
    table, wish, limit = setting
    found = fit(wish, table, BOUNDS, [limit])
    assert within([limit], table, found)
    if used_share(found, table, [limit]) < NEAR:
        loud = noise_of(found)
        quiet = [other for other in neighbours(found) if noise_of(other) <= loud]
        shares = [used_share(other, table, [limit]) for other in quiet]
        assert not any(NEAR <= share <= 1 for share in shares)


def noise_of(allocation):
    """A bit more leaves a quarter of it."""
    tensors = [
        *([bits.weight_bits] for _, bits in allocation),
        *(bits.spike_bits for _, bits in allocation),
    ]
    return sum(statistics.fmean(0.25**width for width in widths) for widths in tensors)


def neighbours(allocation):
    """Every allocation by an exchange of up to three moves, spelled out width by width."""
    widths = [(name, place) for name, bits in allocation for place in range(bits.steps + 1)]
    for kind in KINDS:
        for moved in product(widths, repeat=len(kind)):
            changes = {}
            for width, change in zip(moved, kind, strict=True):
                changes[width] = changes.get(width, 0) + change
            other = changed(allocation, changes)
            if other is not None:
                yield other


def changed(allocation, changes):
    """The allocation with changed widths, place 0 for the weights; None out of bounds."""
    layers = {}
    for name, bits in allocation:
        weight = bits.weight_bits + changes.get((name, 0), 0)
        spikes = [width + changes.get((name, t + 1), 0) for t, width in enumerate(bits.spike_bits)]
        if not (1 <= weight <= 5 and all(1 <= width <= 4 for width in spikes)):
            return None
        layers[name] = LayerBits(steps=bits.steps, spike_bits=tuple(spikes), weight_bits=weight)
    return Allocation(layers=layers)


def test_a_share_is_above_one_exactly_where_a_limit_is_broken():
    table = [row("l0", 3), row("l1", 7)]
    one = Allocation(
        layers={name: LayerBits.uniform(steps=1, spike_bits=1, weight_bits=1) for name in ("l0", "l1")}
    )
    assert used_share(one, table, [ace(10.0)]) == 1
    assert used_share(one, table, [ace(10.0 - 1e-15), ace(20.0)]) > 1
    assert used_share(one, table, [ace(20.0), ace(40.0)]) == 0.5
