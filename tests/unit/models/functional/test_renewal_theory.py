"""What renewal promises, over all pairs of widths 1..8: see docs/decisions on the closed form.

A step size that was best for the old width is renewed when the width changes. For half-normal inputs its
error is then never above the stale one's; signed normal inputs promise the same unless a width is binary.
"""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import closed_form, quantize_spikes
from models.functional.levels import levels_at

WIDTHS = range(1, 9)
POWERS = [2.0, 2.4]
QUANTILES = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
HALF_NORMAL = torch.special.ndtri((1 + QUANTILES) / 2)
NORMAL = torch.special.ndtri(QUANTILES)


def error(step_size, bits, *, signed, p, scale=1.0):
    """The mean p-th power of the quantization error, in units of the scale."""
    x = (NORMAL if signed else HALF_NORMAL) * scale
    found = quantize_spikes(x, step_size.double(), torch.tensor(float(bits)), signed=signed)
    return float(((found - x) / scale).abs().pow(p).mean())


@functools.cache
def best(bits, *, signed, p):
    """The step size with the least error."""
    steps = torch.linspace(0.3, 6, 400, dtype=torch.float64) / levels_at(bits, signed=signed).high
    return min(steps, key=lambda step_size: error(step_size, bits, signed=signed, p=p))


def ratio(old, new, *, signed, p, scale=1.0, fit=1.0):
    """The renewed step size's error over the stale one's; `fit` spoils the old step size."""
    stale = best(old, signed=signed, p=p) * fit * scale
    renewed = closed_form(stale, old, new, signed=signed)
    return error(renewed, new, signed=signed, p=p, scale=scale) / error(
        stale, new, signed=signed, p=p, scale=scale
    )


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("old", WIDTHS)
def test_a_renewed_step_size_has_no_larger_error_for_half_normal_inputs(old, p):
    ratios = {new: ratio(old, new, signed=False, p=p) for new in WIDTHS}
    assert ratios.pop(old) == 1
    assert max(ratios.values()) < 1


@given(old=st.integers(1, 8), new=st.integers(1, 8), scale=st.floats(1e-3, 1e3))
def test_the_promise_does_not_depend_on_the_scale(old, new, scale):
    assert ratio(old, new, signed=False, p=2.4, scale=scale) <= 1


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("old", WIDTHS[1:])
def test_signed_inputs_promise_the_same_from_two_bits_up(old, p):
    assert all(ratio(old, new, signed=True, p=p) <= 1 for new in WIDTHS[1:])


@pytest.mark.parametrize(("old", "new"), [(1, 3), (3, 1), (1, 8), (8, 1)])
def test_the_closed_form_is_worse_where_a_signed_width_becomes_or_was_binary(old, new):
    assert ratio(old, new, signed=True, p=2.4) > 1


def test_a_range_that_was_far_too_small_is_better_left_to_grow():
    assert ratio(2, 3, signed=False, p=2.4, fit=0.5) > 1


@given(step_size=st.floats(1e-6, 1e6), old=st.integers(1, 8), new=st.integers(1, 8), signed=st.booleans())
def test_the_clipping_range_stays_exactly(step_size, old, new, signed):
    """To the last bit of float64: one product, one quotient."""
    stale = torch.tensor([step_size], dtype=torch.float64)
    before, after = (levels_at(bits, signed=signed).high for bits in (old, new))
    renewed = closed_form(stale, old, new, signed=signed)
    assert (renewed * after).item() == pytest.approx((stale * before).item(), rel=4 * 2**-52)
