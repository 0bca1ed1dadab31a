"""Single moves: every knob that can move, by one, with how far beyond its wish it lands."""

from dataclasses import replace

import pytest

from models.allocation import Allocation, Bounds, LayerBits
from models.bit_moves import Knobs
from models.channel_moves import GROUPS
from models.cost import LayerShape
from models.wish import LayerWish

BOUNDS = Bounds(weight=(1, 8), spike=(1, 6), steps=(1, 3))
TABLE = (
    LayerShape(name="a", kind="conv", macs=9, weights=9, inputs=4, biases=2),
    LayerShape(name="b", kind="spikes", macs=0, weights=0, inputs=4, biases=0),
)
WISH = {
    "a": LayerWish(steps=2.2, spike_bits=(2.75, 4.0, 1.0), weight_bits=5.25),
    "b": LayerWish(steps=1.0, spike_bits=(6.0, 1.0, 1.0), weight_bits=1.0),
}
KNOBS = Knobs.of(WISH, TABLE, BOUNDS, GROUPS)
A = LayerBits(steps=2, spike_bits=(3, 4), weight_bits=5)
B = LayerBits(steps=1, spike_bits=(6,), weight_bits=1)
START = Allocation(layers={"a": A, "b": B})


def told(moves):
    return [(move.layer, move.bits, pytest.approx(move.distance)) for move in moves]


def test_lowerings_are_a_step_the_weights_and_each_spike_width_of_each_layer_in_order():
    assert told(KNOBS.lowerings(START)) == [
        ("a", LayerBits(steps=1, spike_bits=(3,), weight_bits=5), 1.2),
        ("a", replace(A, weight_bits=4), 1.25),
        ("a", replace(A, spike_bits=(2, 4)), 0.75),
        ("a", replace(A, spike_bits=(3, 3)), 1.0),
        ("b", replace(B, spike_bits=(5,)), 1.0),
    ]


def test_raisings_leave_steps_and_what_is_at_its_bound():
    assert told(KNOBS.raisings(START)) == [
        ("a", replace(A, weight_bits=6), 0.75),
        ("a", replace(A, spike_bits=(4, 4)), 1.25),
        ("a", replace(A, spike_bits=(3, 5)), 1.0),
    ]


def test_longer_ones_have_a_step_more_of_the_least_spike_bits():
    assert told(KNOBS.longer(START)) == [
        ("a", LayerBits(steps=3, spike_bits=(3, 4, 1), weight_bits=5), 0.8),
        ("b", LayerBits(steps=2, spike_bits=(6, 1), weight_bits=1), 1.0),
    ]
    full = Allocation(layers={"a": LayerBits.uniform(steps=3, spike_bits=1, weight_bits=1)})
    assert list(KNOBS.longer(full)) == []


def test_the_weights_of_channels_move_in_groups():
    wish = {"a": replace(WISH["a"], weight_bits=(5.0, 3.5))}
    channels = A.with_channels((5, 3))
    (move,) = Knobs.of(wish, TABLE, BOUNDS, 2).weight("a", channels, 1)
    assert (move.bits.channel_bits, move.distance) == ((5, 4), 0.5)


def test_a_move_changes_its_layer_alone():
    move = next(KNOBS.raisings(START))
    assert move.on(START) == Allocation(layers={"a": replace(A, weight_bits=6), "b": B})
