"""Packed weights: every width comes back, in the documented order of bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.export.packing import greatest_level, packed, stream_bits, unpacked


def levels_of(random, shape, width):
    if width == 1:
        return random.choice([-1, 1], shape).astype(np.int32)
    Q = greatest_level(width)
    return random.integers(-Q, Q + 1, shape).astype(np.int32)


@given(st.integers(1, 16), st.integers(1, 5), st.integers(1, 13), st.integers(0, 2**32 - 1))
def test_every_width_comes_back_whatever_the_length(width, channels, size, seed):
    levels = levels_of(np.random.default_rng(seed), (channels, size), width)
    content = packed(levels, [width])
    assert len(content) == -(-channels * size * width // 8)
    assert np.array_equal(unpacked(content, levels.shape, [width]), levels)


@given(st.lists(st.integers(1, 16), min_size=1, max_size=7), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_channels_of_different_widths_come_back(widths, size, seed):
    random = np.random.default_rng(seed)
    levels = np.stack([levels_of(random, (size,), width) for width in widths])
    content = packed(levels, widths)
    assert len(content) == -(-size * sum(widths) // 8) == -(-stream_bits(levels.shape, widths) // 8)
    assert np.array_equal(unpacked(content, levels.shape, widths), levels)


def test_the_order_is_the_documented_one():
    # 3 bits, two's complement, least bit first: 1 -> 100, -1 -> 111, 3 -> 110; then 0 bits.
    assert packed(np.array([[1, -1, 3]], dtype=np.int32), [3]).tolist() == [0b11111001, 0b0]
    assert packed(np.array([[1, -1, -1, 1]], dtype=np.int32), [1]).tolist() == [0b1001]


@pytest.mark.parametrize(("width", "level"), [(1, 0), (1, 2), (2, 2), (2, -2), (4, 8), (4, -8)])
def test_what_is_no_level_is_refused(width, level):
    with pytest.raises(ValueError, match="no level"):
        packed(np.array([[level]], dtype=np.int32), [width])


def test_codes_that_no_level_has_are_refused():
    with pytest.raises(ValueError, match="no level"):
        unpacked(np.array([0b1000], dtype=np.uint8), (1, 1), [4])
    with pytest.raises(ValueError, match="unused bits"):
        unpacked(np.array([0b10001], dtype=np.uint8), (1, 1), [4])
    with pytest.raises(ValueError, match="cannot hold"):
        unpacked(np.array([1, 0], dtype=np.uint8), (1, 1), [4])
