"""Rounding half away from zero, and gradients that pass straight through."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.errors import NanLossError
from models.functional.rounding import round_half_away, straight_through, whole_number


@given(whole=st.integers(-1000, 1000), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_halves_go_away_from_zero(whole, dtype):
    half = whole + math.copysign(0.5, whole)
    assert round_half_away(torch.tensor(half, dtype=dtype)).item() == whole + math.copysign(1, whole)


@given(whole=st.integers(-1000, 1000), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_numbers_just_nearer_to_zero_than_a_half_go_toward_zero(whole, dtype):
    half = torch.tensor(whole + math.copysign(0.5, whole), dtype=dtype)
    assert round_half_away(torch.nextafter(half, torch.zeros((), dtype=dtype))).item() == whole


@given(value=st.floats(-1e6, 1e6))
def test_rounding_lands_within_half_of_the_value(value):
    rounded = round_half_away(torch.tensor(value, dtype=torch.float64)).item()
    assert rounded == int(rounded)
    assert abs(rounded - value) <= 0.5


def test_straight_through_has_one_value_and_the_other_gradient():
    real = torch.tensor([1.2, 2.7], requires_grad=True)
    passed = straight_through(round_half_away(real.detach()), real)
    passed.backward(torch.tensor([3.0, 5.0]))
    assert passed.tolist() == [1.0, 3.0]
    assert real.grad.tolist() == [3.0, 5.0]


@pytest.mark.parametrize(("value", "whole"), [(0.2, 1), (-3.0, 1), (1.49, 1), (1.5, 2), (2.5, 3), (4.0, 4)])
def test_whole_numbers_are_rounded_and_at_least_one(value, whole):
    assert whole_number(value) == whole


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_width_that_is_no_number_is_a_failed_training(value):
    with pytest.raises(NanLossError):
        whole_number(value)
