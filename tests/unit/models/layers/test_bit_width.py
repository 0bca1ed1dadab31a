"""A learned width: whole values, straight-through gradients, bounds and freezing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError, NanLossError
from models.layers import BitWidth, constrain

reals = st.floats(-3, 12, width=32)


def width_at(*values, bounds=(1, 6)):
    width = BitWidth([bounds[0]] * len(values), bounds)
    with torch.no_grad():
        width.real.copy_(torch.tensor(values))
    return width


@given(value=reals)
def test_whole_values_are_rounded_and_inside_the_bounds(value):
    width = width_at(value, bounds=(2, 5))
    (whole,) = width.whole()
    assert 2 <= whole <= 5
    assert width().item() == whole
    assert abs(whole - min(max(value, 2), 5)) <= 0.5


@given(value=reals)
def test_gradients_pass_rounding_and_clipping_unchanged(value):
    width = width_at(value, 3.2)
    width().backward(torch.tensor([2.0, -1.0]))
    assert width.real.grad.tolist() == [2.0, -1.0]


@given(value=reals)
def test_constrain_brings_the_parameter_back_and_no_further(value):
    width = width_at(value, bounds=(1, 6))
    constrain([width.bounded()])
    assert width.wished() == [min(max(value, 1), 6)]


def test_the_start_is_clipped_to_the_bounds():
    assert BitWidth([4, 4], (1, 2)).whole() == [2, 2]
    assert BitWidth([4], (6, 8)).whole() == [6]


def test_frozen_widths_are_whole_and_learn_no_more():
    width = width_at(3.4, 2.2, 5.1)
    width.freeze([2, 6])
    assert width.whole() == [2, 6, 5]
    assert not width.real.requires_grad


@pytest.mark.parametrize("widths", [[0], [7], [2, 2, 2]])
def test_widths_outside_the_bounds_are_refused(widths):
    width = width_at(3.0, 3.0)
    with pytest.raises(InvalidInputError):
        width.freeze(widths)
    assert width.real.requires_grad


def test_a_width_that_is_no_number_is_a_failed_training():
    with pytest.raises(NanLossError):
        width_at(float("nan")).whole()


def test_a_thawed_width_learns_again_from_where_it_was_frozen_unless_it_never_did():
    learns, held, pinned = (
        BitWidth([3.0, 3.0], (1, 6)),
        BitWidth([3.0, 3.0], (1, 6), learned=False),
        BitWidth([3.0, 3.0], (3, 3)),
    )
    for width in (learns, held, pinned):
        width.freeze([3])
        assert not width.real.requires_grad
        width.thaw()
        assert width.real.tolist() == [3.0, 3.0]
    assert [width.real.requires_grad for width in (learns, held, pinned)] == [True, False, False]
