"""Parameters are brought back inside their bounds, all in one go."""

import math

import pytest
import torch
from torch import nn

from models.layers import Bounded, constrain


def parameter(*values, learned=True):
    return nn.Parameter(torch.tensor(values), requires_grad=learned)


def test_each_parameter_is_brought_to_its_own_bounds_and_no_further():
    narrow, wide, open_above = parameter(-3.0, 0.5, 9.0), parameter(-3.0, 0.5, 9.0), parameter(-3.0, 0.5, 9.0)
    constrain(
        [
            Bounded(parameter=narrow, low=0.0, high=1.0),
            Bounded(parameter=open_above, low=0.25),
            Bounded(parameter=wide, low=-4.0, high=4.0),
        ]
    )
    assert narrow.tolist() == [0.0, 0.5, 1.0]
    assert wide.tolist() == [-3.0, 0.5, 4.0]
    assert open_above.tolist() == [0.25, 0.5, 9.0]


def test_what_does_not_learn_is_left_alone():
    fixed = parameter(7.0, learned=False)
    constrain([Bounded(parameter=fixed, low=0.0, high=1.0)])
    assert fixed.item() == 7.0


def test_no_parameter_is_no_error_and_what_is_no_number_stays_none():
    constrain([])
    lost = parameter(math.nan)
    constrain([Bounded(parameter=lost, low=0.0, high=1.0)])
    assert math.isnan(lost.item())


@pytest.mark.parametrize("low", [0.0, 1.0])
def test_gradients_do_not_pass_through(low):
    learned = parameter(0.5)
    constrain([Bounded(parameter=learned, low=low, high=2.0)])
    assert learned.is_leaf
    assert learned.grad is None
