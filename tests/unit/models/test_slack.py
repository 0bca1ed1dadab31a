"""Exchanged bits and added steps: coarse budgets are used, and never at the cost of a limit."""

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


def test_a_bit_of_one_layer_goes_for_a_bit_of_another_where_that_uses_the_budget():
    # 2 * 300 + 2 * 200 = 1000; a bit more costs 200 or 300, one for the other 100.
    assert weights_fitted((2.0, 2.0), (300, 200), ace(1100)) == [3, 1]
    assert weights_fitted((2.0, 2.0), (300, 200), ace(1009)) == [2, 2]  # 99 % are used as it is
    assert weights_fitted((2.0, 2.0), (300, 200), ace(1090)) == [2, 2]  # an exchange would break the limit


def test_two_bits_go_for_one_and_one_for_two():
    assert weights_fitted((3.0, 3.0), (500, 300), ace(2500)) == [2, 5]
    assert weights_fitted((3.0, 3.0), (700, 300), ace(3100)) == [4, 1]


def test_of_the_exchanges_that_use_the_budget_the_nearest_to_the_wish_is_taken():
    limit = ace(2100)  # 2 * (300 + 200 + 300 + 200) = 2000; a bit of a wide layer for one of a narrow one
    assert weights_fitted((2.4, 2.0, 2.0, 1.6), (300, 200, 300, 200), limit) == [3, 2, 2, 1]
    assert weights_fitted((2.0, 1.6, 2.4, 2.0), (300, 200, 300, 200), limit) == [2, 1, 3, 2]


def test_where_none_comes_near_the_one_that_uses_the_most_is_taken():
    # 2 * 330 + 2 * 300 = 1260 of 1299: a bit of the first for one of the second makes 1290, within 1 %.
    assert weights_fitted((2.0, 2.0), (330, 300), ace(1299)) == [3, 1]
    # Of 1320 it is 97.7 %, still more than 95.5 %.
    assert weights_fitted((2.0, 2.0), (330, 300), ace(1320)) == [3, 1]
    # A gain of under 1 % is not worth moving away from the wish.
    assert weights_fitted((2.0, 2.0), (301, 300), ace(1290)) == [2, 2]


def test_a_limit_that_is_used_leaves_nothing_to_exchange():
    memory = Limit(metric="weight_kib", maximum=(4 * 600 + 32 * 6) / 8192, scope="searched")
    wish, macs = (4.0, 4.0), (300, 200)
    table = [row("l0", macs[0], weights=300), row("l1", macs[1], weights=300)]
    held = fit(weights_wish(*wish), table, WEIGHTS_ONLY, [ace(2100), memory])
    assert [bits.weight_bits for _, bits in held] == [4, 4]
    free = fit(weights_wish(*wish), table, WEIGHTS_ONLY, [ace(2100)])
    assert [bits.weight_bits for _, bits in free] == [5, 3]


def test_steps_stay_and_spikes_move_at_the_step_that_is_nearest():
    table = [row("l0", 300), row("l1", 200)]
    bounds = replace(BOUNDS, weight=(1, 1))
    wish = {
        "l0": LayerWish(steps=2.0, spike_bits=(2.0, 2.4, 1.0), weight_bits=1.0),
        "l1": LayerWish(steps=2.0, spike_bits=(1.6, 2.0, 1.0), weight_bits=1.0),
    }
    found = fit(wish, table, bounds, [ace(2100)])
    assert [bits.spike_bits for _, bits in found] == [(2, 3), (1, 2)]


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
        # 3 * 500 + 3 * 300 = 2400 of 2500: only two bits of the second for one of the first use that. The
        # other layers are tiny and have all of their bits.
        others = layers - 2
        limit = ace(2500 + 8 * others)
        return weights_fitted((3.0, 3.0, *[8.0] * others), (500, 300, *[1] * others), limit)

    assert fitted(FEW)[:2] == [2, 5]
    assert fitted(FEW + 1)[:2] == [3, 3]


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
def test_what_is_left_unused_no_exchange_could_use(setting):
    table, wish, limit = setting
    found = fit(wish, table, BOUNDS, [limit])
    assert within([limit], table, found)
    if used_share(found, table, [limit]) < NEAR:
        shares = [used_share(other, table, [limit]) for other in neighbours(found)]
        assert not any(NEAR <= share <= 1 for share in shares)


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
