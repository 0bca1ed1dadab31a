"""Fitting a wish under limits: always feasible, always the same, never worse than it has to be."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS, Allocation, Bounds, LayerBits
from models.cost import STATIC_METRICS, LayerShape, Limit, default_scope, limit_cost, within
from models.errors import InfeasibleError
from models.repair import check_feasible, fit, greatest_allocation, least_allocation, shrink
from models.slack import NEAR, used_share
from models.wish import LayerWish

TABLE = (
    LayerShape(
        name="first", kind="conv", macs=9000, weights=144, inputs=64, biases=16, fixed=FIRST_LAYER_BITS
    ),
    LayerShape(name="a", kind="conv", macs=150_000, weights=2304, inputs=1024, biases=16),
    LayerShape(name="b", kind="conv", macs=80_000, weights=4608, inputs=1024, biases=32),
    LayerShape(name="c", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)
BOUNDS = Bounds(weight=(1, 8), spike=(1, 6), steps=(1, 4))
SEARCHED = ("a", "b", "c")

wishes = st.fixed_dictionaries(
    {
        name: st.builds(
            LayerWish,
            steps=st.floats(1, 4),
            spike_bits=st.tuples(*[st.floats(1, 6)] * 4),
            weight_bits=st.floats(1, 8),
        )
        for name in SEARCHED
    }
)


@st.composite
def limit_lists(draw):
    """One or two limits, each somewhere between the least and the greatest cost of the space."""
    metrics = draw(st.lists(st.sampled_from(STATIC_METRICS), min_size=1, max_size=2, unique=True))
    return [limit_at(metric, draw(st.floats(0, 1))) for metric in metrics]


def limit_at(metric, share):
    """A limit at a share of the way (by ratio) from the least to the greatest cost."""
    scope = default_scope(metric)
    probe = Limit(metric=metric, maximum=1, scope=scope)
    low = limit_cost(probe, TABLE, least_allocation(TABLE, BOUNDS))
    high = limit_cost(probe, TABLE, greatest_allocation(TABLE, BOUNDS))
    return Limit(metric=metric, maximum=max(low, low * (high / low) ** share), scope=scope)


def in_bounds(allocation):
    return all(
        BOUNDS.weight[0] <= bits.weight_bits <= BOUNDS.weight[1]
        and BOUNDS.steps[0] <= bits.steps <= BOUNDS.steps[1]
        and all(BOUNDS.spike[0] <= width <= BOUNDS.spike[1] for width in bits.spike_bits)
        for _, bits in allocation
    )


def raised(allocation):
    """Every allocation with one bit more."""
    for name, bits in allocation:
        richer = (
            [replace(bits, weight_bits=bits.weight_bits + 1)] if bits.weight_bits < BOUNDS.weight[1] else []
        )
        for step, width in enumerate(bits.spike_bits):
            if width < BOUNDS.spike[1]:
                widths = (*bits.spike_bits[:step], width + 1, *bits.spike_bits[step + 1 :])
                richer.append(replace(bits, spike_bits=widths))
        yield from (Allocation(layers={**allocation.layers, name: layer}) for layer in richer)


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=60)
def test_a_fit_keeps_limits_and_bounds_and_leaves_no_bit_unspent(wish, limits):
    found = fit(wish, TABLE, BOUNDS, limits)
    assert list(found.layers) == list(SEARCHED)
    assert within(limits, TABLE, found)
    assert in_bounds(found)
    assert not any(within(limits, TABLE, richer) for richer in raised(found))


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=30)
def test_equal_wishes_in_any_order_give_the_same_fit(wish, limits):
    turned = dict(reversed(wish.items()))
    assert fit(turned, TABLE, BOUNDS, limits) == fit(wish, TABLE, BOUNDS, limits)


def test_ties_go_to_the_earlier_layer_whatever_the_order_of_the_wish():
    bits = LayerWish(steps=1.0, spike_bits=(1.0,) * 4, weight_bits=3.0)
    one_less = limit_at_bits(weight_bits=(2, 3, 3))
    for order in (SEARCHED, reversed(SEARCHED)):
        found = fit(dict.fromkeys(order, bits), TABLE, BOUNDS, [one_less])
        assert [layer.weight_bits for _, layer in found] == [2, 3, 3]


def test_the_bit_that_stays_nearest_to_its_wish_is_moved_first():
    def weights_of(wished, limit_bits):
        wish = {
            name: LayerWish(steps=1.0, spike_bits=(1.0,) * 4, weight_bits=bits)
            for name, bits in zip(SEARCHED, wished, strict=True)
        }
        found = fit(wish, TABLE, BOUNDS, [limit_at_bits(weight_bits=limit_bits)])
        return [bits.weight_bits for _, bits in found]

    assert weights_of((3.4, 2.6, 3.0), limit_bits=(3, 2, 3)) == [3, 2, 3]  # one has to be lowered
    assert weights_of((3.4, 2.1, 3.0), limit_bits=(4, 2, 3)) == [4, 2, 3]  # one can be raised


def limit_at_bits(weight_bits):
    """A limit that one-step, one-bit layers of these weight bits just keep."""
    wanted = {
        name: LayerBits.uniform(steps=1, spike_bits=1, weight_bits=bits)
        for name, bits in zip(SEARCHED, weight_bits, strict=True)
    }
    probe = Limit(metric="s_ace", maximum=1)
    return replace(probe, maximum=limit_cost(probe, TABLE, Allocation(layers=wanted)))


@given(wish=wishes)
@settings(max_examples=30)
def test_without_pressure_all_is_spent_but_steps_of_no_account(wish):
    found = fit(wish, TABLE, BOUNDS, [limit_at("s_ace", 1.0)])
    for name, bits in found:
        steps = int(wish[name].steps + 0.5) if name == "c" else 4  # c has a thousandth of the operations
        assert bits == LayerBits.uniform(steps=steps, spike_bits=6, weight_bits=8)


@given(wish=wishes, limits=limit_lists(), steps=st.integers(1, 3))
@settings(max_examples=60)
def test_no_step_is_added_where_bits_use_the_limits(wish, limits, steps):
    wish = {name: replace(layer, steps=float(steps)) for name, layer in wish.items()}
    by_bits = fit(wish, TABLE, replace(BOUNDS, steps=(1, steps)), limits)
    found = fit(wish, TABLE, BOUNDS, limits)
    if used_share(by_bits, TABLE, limits) >= NEAR:
        assert found == by_bits
    else:
        assert used_share(found, TABLE, limits) >= used_share(by_bits, TABLE, limits)


@given(limits=limit_lists(), share=st.floats(0, 1))
@settings(max_examples=30)
def test_what_already_fits_to_the_last_bit_stays(limits, share):
    wish = dict.fromkeys(SEARCHED, LayerWish(steps=1 + 3 * share, spike_bits=(3.0,) * 4, weight_bits=4.0))
    found = fit(wish, TABLE, BOUNDS, limits)
    assert fit(wish_for(found), TABLE, BOUNDS, limits) == found


def wish_for(allocation):
    return {
        name: LayerWish(
            steps=bits.steps,
            spike_bits=(*bits.spike_bits, *(1,) * (4 - bits.steps)),
            weight_bits=bits.weight_bits,
        )
        for name, bits in allocation
    }


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=30)
def test_a_shrunken_wish_rounds_to_what_keeps_the_limits_or_to_the_least(wish, limits):
    smaller = shrink(wish, TABLE, BOUNDS, limits)
    for name in SEARCHED:
        assert smaller[name].weight_bits <= wish[name].weight_bits
        assert smaller[name].steps <= wish[name].steps
    rounded = Allocation(layers={name: rounded_layer(layer) for name, layer in smaller.items()})
    assert within(limits, TABLE, rounded)


def rounded_layer(layer):
    steps = int(layer.steps + 0.5)
    spike_bits = tuple(int(width + 0.5) for width in layer.spike_bits[:steps])
    return LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=int(layer.weight_bits + 0.5))


@pytest.mark.parametrize("metric", STATIC_METRICS)
def test_a_limit_below_the_least_cost_is_refused_with_that_cost(metric):
    least = limit_at(metric, 0.0)
    check_feasible(TABLE, BOUNDS, [least])
    with pytest.raises(InfeasibleError, match=f"{least.maximum:g}") as caught:
        check_feasible(TABLE, BOUNDS, [replace(least, maximum=least.maximum * 0.99)])
    assert metric in caught.value.message
