"""Allocations: what they accept, how they are stored, and that they are values."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import MAX_BITS, MAX_STEPS, Allocation, Bounds, LayerBits
from models.errors import InvalidInputError


@st.composite
def layer_bits(draw):
    steps = draw(st.integers(1, 6))
    spike_bits = draw(st.lists(st.integers(1, MAX_BITS), min_size=steps, max_size=steps))
    channels = draw(st.lists(st.integers(1, MAX_BITS), max_size=5))
    bits = LayerBits(steps=steps, spike_bits=tuple(spike_bits), weight_bits=draw(st.integers(1, MAX_BITS)))
    return bits.with_channels(channels) if channels else bits


allocations = st.dictionaries(st.text(min_size=1, max_size=8), layer_bits(), max_size=5).map(
    lambda layers: Allocation(layers=layers)
)


@given(allocation=allocations)
def test_json_there_and_back_is_the_same_allocation_in_the_same_order(allocation):
    back = Allocation.from_json(json.loads(json.dumps(allocation.to_json())))
    assert back == allocation
    assert list(back.layers) == list(allocation.layers)


@given(allocation=allocations)
def test_copies_are_equal_and_hash_equally_whatever_the_order(allocation):
    turned = Allocation(layers=dict(reversed(allocation.layers.items())))
    for other in (pickle.loads(pickle.dumps(allocation)), copy.deepcopy(allocation), turned):  # noqa: S301 - our own bytes
        assert other == allocation
        assert hash(other) == hash(allocation)


def test_layers_can_not_be_changed():
    layers = {"a": LayerBits.uniform(steps=1, spike_bits=2, weight_bits=3)}
    allocation = Allocation(layers=layers)
    layers.clear()
    assert list(allocation.layers) == ["a"]
    with pytest.raises(TypeError):
        allocation.layers["b"] = allocation["a"]


@given(steps=st.integers(1, 5), spike_bits=st.integers(1, 8), weight_bits=st.integers(1, 8))
def test_uniform_bits_have_their_width_as_the_mean(steps, spike_bits, weight_bits):
    bits = LayerBits.uniform(steps=steps, spike_bits=spike_bits, weight_bits=weight_bits)
    assert bits.mean_spike_bits == spike_bits
    assert len(bits.spike_bits) == steps


@pytest.mark.parametrize(
    "bits",
    [
        {"steps": 0, "spike_bits": (), "weight_bits": 1},
        {"steps": MAX_STEPS + 1, "spike_bits": (1,) * (MAX_STEPS + 1), "weight_bits": 1},
        {"steps": 2, "spike_bits": (1,), "weight_bits": 1},
        {"steps": 1, "spike_bits": (0,), "weight_bits": 1},
        {"steps": 1, "spike_bits": (MAX_BITS + 1,), "weight_bits": 1},
        {"steps": 1, "spike_bits": (1,), "weight_bits": 0},
        {"steps": 1, "spike_bits": (1,), "weight_bits": MAX_BITS + 1},
    ],
)
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(InvalidInputError):
        LayerBits(**bits)


def test_widths_of_channels_count_by_their_mean():
    bits = LayerBits.uniform(steps=1, spike_bits=2, weight_bits=3).with_channels([2, 3, 3, 2])
    assert (bits.weight_bits, bits.mean_weight_bits, bits.weight_text) == (3, 2.5, "2.5")
    assert bits.channel_bits == (2, 3, 3, 2)
    whole = LayerBits.uniform(steps=1, spike_bits=2, weight_bits=3)
    assert (whole.mean_weight_bits, whole.weight_text) == (3, "3")


def test_a_layer_with_one_width_is_stored_as_it_was_before_channels_had_any():
    bits = LayerBits.uniform(steps=1, spike_bits=2, weight_bits=3)
    assert bits.to_json() == {"steps": 1, "spike_bits": [2], "weight_bits": 3}


@pytest.mark.parametrize("channels", [(), (2, 2), (3, MAX_BITS + 1), (0, 6)])
def test_widths_of_channels_that_are_none_or_have_another_mean_are_refused(channels):
    with pytest.raises(InvalidInputError):
        LayerBits(steps=1, spike_bits=(1,), weight_bits=3, channel_bits=channels)


def test_an_allocation_is_per_channel_as_soon_as_one_layer_is():
    bits = LayerBits.uniform(steps=1, spike_bits=2, weight_bits=3)
    assert Allocation(layers={"a": bits, "b": bits}).weight_per == "layer"
    assert Allocation(layers={"a": bits, "b": bits.with_channels([3])}).weight_per == "channel"


def test_the_ends_of_the_bounds_are_uniform():
    bounds = Bounds(weight=(2, 7), spike=(1, 5), steps=(1, 3))
    assert bounds.least() == LayerBits.uniform(steps=1, spike_bits=1, weight_bits=2)
    assert bounds.greatest() == LayerBits.uniform(steps=3, spike_bits=5, weight_bits=7)
