"""What a method wishes for, and the integers nearest to it."""

from hypothesis import given
from hypothesis import strategies as st

from models.allocation import Bounds, LayerBits
from models.cost import WEIGHTLESS_BITS, LayerShape
from models.wish import LayerWish, rounded, scaled

BOUNDS = Bounds(weight=(2, 8), spike=(1, 6), steps=(1, 4))
TABLE = (
    LayerShape(name="a", kind="conv", macs=9, weights=9, inputs=4, biases=2),
    LayerShape(name="b", kind="spikes", macs=0, weights=0, inputs=4, biases=0),
)


def wish_of(steps, spike_bits, weight_bits):
    return dict.fromkeys("ab", LayerWish(steps=steps, spike_bits=spike_bits, weight_bits=weight_bits))


def test_halves_are_rounded_up_and_steps_say_how_many_spike_bits_count():
    found = rounded(wish_of(1.5, (2.5, 3.4, 6.0, 6.0), 4.5), TABLE, BOUNDS)
    assert found["a"] == LayerBits(steps=2, spike_bits=(3, 3), weight_bits=5)


def test_what_is_out_of_bounds_is_brought_to_them():
    found = rounded(wish_of(9.0, (0.2, 7.7, 3.0, 3.0), 0.4), TABLE, BOUNDS)
    assert found["a"] == LayerBits(steps=4, spike_bits=(1, 6, 3, 3), weight_bits=2)


def test_a_layer_without_weights_is_held_at_its_weight_bits():
    assert rounded(wish_of(1.0, (3.0,) * 4, 7.0), TABLE, BOUNDS)["b"].weight_bits == WEIGHTLESS_BITS


def test_each_channel_is_rounded_by_itself():
    found = rounded(wish_of(1.0, (3.0,) * 4, (2.4, 6.6)), TABLE, BOUNDS)["a"]
    assert (found.channel_bits, found.weight_bits) == ((2, 7), 5)


@given(factor=st.floats(0, 1), steps=st.floats(1, 4), spike=st.floats(1, 6), weight=st.floats(2, 8))
def test_scaling_goes_from_the_least_bits_to_the_wish(factor, steps, spike, weight):
    wish = wish_of(steps, (spike,) * 4, (weight, 2.0))
    found = scaled(wish, BOUNDS, factor)["a"]
    assert found.steps == 1 + factor * (steps - 1)
    assert found.spike_bits == (1 + factor * (spike - 1),) * 4
    assert found.weight_bits == (2 + factor * (weight - 2), 2.0)
