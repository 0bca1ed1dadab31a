"""Fits of layers whose output channels have weight bits of their own."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS, Allocation, Bounds, LayerBits
from models.channel_moves import GROUPS, SINGLE, channel_move
from models.cost import STATIC_METRICS, LayerShape, Limit, default_scope, limit_cost, within
from models.errors import InfeasibleError
from models.repair import fit, greatest_allocation, least_allocation, shrink
from models.wish import LayerWish

TABLE = (
    LayerShape(
        name="first", kind="conv", macs=9000, weights=144, inputs=64, biases=16, fixed=FIRST_LAYER_BITS
    ),
    LayerShape(name="a", kind="conv", macs=15_000, weights=2304, inputs=1024, biases=16),
    LayerShape(name="spikes", kind="spikes", macs=0, weights=0, inputs=256, biases=0),
    LayerShape(name="b", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)
BOUNDS = Bounds(weight=(1, 5), spike=(1, 3), steps=(1, 2), weight_per="channel")
CHANNELS = {"a": 16, "b": 10}


def layer_wishes(weight_bits):
    return st.builds(
        LayerWish,
        steps=st.floats(1, 2),
        spike_bits=st.tuples(*[st.floats(1, 3)] * 2),
        weight_bits=weight_bits,
    )


def channel_wishes(count):
    return layer_wishes(st.lists(st.floats(0.5, 5.5), min_size=count, max_size=count).map(tuple))


wishes = st.fixed_dictionaries(
    {"a": channel_wishes(16), "spikes": layer_wishes(st.just(1.0)), "b": channel_wishes(10)}
)


@st.composite
def limit_lists(draw):
    """One or two limits, each somewhere between the least and the greatest cost of the space."""
    metrics = draw(st.lists(st.sampled_from(STATIC_METRICS), min_size=1, max_size=2, unique=True))
    return [limit_at(metric, draw(st.floats(0, 1))) for metric in metrics]


def limit_at(metric, share):
    probe = Limit(metric=metric, maximum=1, scope=default_scope(metric))
    low, high = (
        limit_cost(probe, TABLE, end(TABLE, BOUNDS)) for end in (least_allocation, greatest_allocation)
    )
    return replace(probe, maximum=max(low, low * (high / low) ** share))


def raised(allocation):
    """Every allocation with one bit more: of a step's spikes, or of one channel."""
    for name, bits in allocation:
        for step, width in enumerate(bits.spike_bits):
            if width < BOUNDS.spike[1]:
                widths = (*bits.spike_bits[:step], width + 1, *bits.spike_bits[step + 1 :])
                yield Allocation(layers={**allocation.layers, name: replace(bits, spike_bits=widths)})
        for channel, width in enumerate(bits.channel_bits or ()):
            if width < BOUNDS.weight[1]:
                widths = list(bits.channel_bits)
                widths[channel] += 1
                yield Allocation(layers={**allocation.layers, name: bits.with_channels(widths)})


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=60, deadline=None)
def test_a_fit_keeps_limits_and_bounds_and_leaves_no_bit_of_a_channel_unspent(wish, limits):
    found = fit(wish, TABLE, BOUNDS, limits)
    assert within(limits, TABLE, found)
    assert {name: len(bits.channel_bits) for name, bits in found if name in CHANNELS} == CHANNELS
    assert found["spikes"].channel_bits is None
    for name in CHANNELS:
        assert all(BOUNDS.weight[0] <= width <= BOUNDS.weight[1] for width in found[name].channel_bits)
        assert BOUNDS.steps[0] <= found[name].steps <= BOUNDS.steps[1]
    assert not any(within(limits, TABLE, richer) for richer in raised(found))


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=20, deadline=None)
def test_equal_wishes_in_any_order_give_the_same_fit(wish, limits):
    turned = dict(reversed(wish.items()))
    assert fit(turned, TABLE, BOUNDS, limits) == fit(wish, TABLE, BOUNDS, limits)


@given(wish=wishes)
@settings(max_examples=20, deadline=None)
def test_what_costs_nothing_more_is_rounded_channel_by_channel(wish):
    exact = Bounds(weight=(1, 5), spike=(1, 1), steps=(1, 1), weight_per="channel")
    rounded = {
        name: tuple(min(max(int(bits + 0.5), 1), 5) for bits in wish[name].weight_bits) for name in CHANNELS
    }
    one = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=1)
    wanted = Allocation(
        layers={"a": one.with_channels(rounded["a"]), "spikes": one, "b": one.with_channels(rounded["b"])}
    )
    probe = Limit(metric="s_ace", maximum=1)
    limit = replace(probe, maximum=limit_cost(probe, TABLE, wanted))
    assert fit(wish, TABLE, exact, [limit]) == wanted


@given(wish=wishes, limits=limit_lists())
@settings(max_examples=20, deadline=None)
def test_a_shrunken_wish_lowers_every_channel(wish, limits):
    smaller = shrink(wish, TABLE, BOUNDS, limits)
    for name in CHANNELS:
        pairs = zip(smaller[name].weight_bits, wish[name].weight_bits, strict=True)
        assert all(less <= max(1.0, bits) for less, bits in pairs)


def test_a_limit_that_only_layers_can_keep_is_refused():
    probe = Limit(metric="weight_kib", maximum=1, scope="all")
    least = limit_cost(probe, TABLE, least_allocation(TABLE, replace(BOUNDS, weight_per="layer")))
    wish = {
        name: LayerWish(steps=1, spike_bits=(1, 1), weight_bits=(1.0,) * CHANNELS[name]) for name in CHANNELS
    } | {"spikes": LayerWish(steps=1, spike_bits=(1, 1), weight_bits=1)}
    with pytest.raises(InfeasibleError, match="weight_kib"):
        fit(wish, TABLE, BOUNDS, [replace(probe, maximum=least)])


def test_the_channels_nearest_to_their_wishes_move_first_and_ties_go_to_the_earlier():
    widths, wished = [3, 3, 3, 3], [3.4, 2.6, 3.0, 2.6]
    assert channel_move(widths, wished, (1, 8), -1, SINGLE).widths == (3, 2, 3, 3)
    assert channel_move(widths, wished, (1, 8), 1, SINGLE).widths == (4, 3, 3, 3)
    both = channel_move(widths, wished, (1, 8), -1, 2)
    assert (both.widths, both.distance) == ((3, 2, 3, 2), pytest.approx(0.6))


def test_channels_at_their_bound_stay():
    assert channel_move([1, 2], [1.0, 9.0], (1, 2), -1, 1).widths == (1, 1)
    assert channel_move([2, 2], [9.0, 9.0], (1, 2), 1, 1) is None


@given(count=st.integers(1, 600))
def test_a_bit_of_all_channels_is_a_few_moves(count):
    widths, wished, moves = (1,) * count, [1.5] * count, 0
    while moved := channel_move(widths, wished, (1, 2), 1, GROUPS):
        widths, moves = moved.widths, moves + 1
    assert widths == (2,) * count
    assert moves <= GROUPS
