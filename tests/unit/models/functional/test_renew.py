"""Renewal keeps the clipping range, and the first step size has the least error of its grid."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import closed_form, least_error, quantize_spikes, renewed
from models.functional.levels import levels_at

bits_of = st.integers(1, 8)


@given(step_size=st.floats(0.01, 10), old=bits_of, new=bits_of, signed=st.booleans())
def test_closed_form_keeps_the_clipping_range(step_size, old, new, signed):
    renewed = closed_form(torch.tensor([step_size]), old, new, signed=signed)
    before, after = (levels_at(bits, signed=signed).high for bits in (old, new))
    assert renewed.item() * after == pytest.approx(step_size * before, rel=1e-5)


@given(step_size=st.floats(0.01, 10), old=bits_of, new=bits_of, signed=st.booleans())
def test_closed_form_there_and_back_is_nothing(step_size, old, new, signed):
    there = closed_form(torch.tensor([step_size]), old, new, signed=signed)
    assert closed_form(there, new, old, signed=signed).item() == pytest.approx(step_size, rel=1e-5)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_no_other_step_size_has_clearly_less_error(bits, signed):
    x = torch.randn(3000, generator=torch.Generator().manual_seed(0))
    kept = x if signed else x[x > 0]
    found = least_error(x, bits, signed=signed)

    def error(step_size):
        quantized = quantize_spikes(kept, step_size, torch.tensor(float(bits)), signed=signed)
        return (quantized - kept).abs().pow(2.4).sum().item()

    assert error(found) <= 1.02 * min(error(found * factor) for factor in torch.linspace(0.25, 4, 61))


@pytest.mark.parametrize("signed", [True, False])
def test_a_tensor_of_nothing_gets_a_positive_step_size(signed):
    assert least_error(torch.zeros(5), 4, signed=signed) > 0
    assert least_error(torch.zeros(0), 4, signed=signed) > 0


@pytest.mark.parametrize("signed", [True, False])
def test_a_search_fits_the_step_size_to_the_values_and_not_to_the_old_one(signed):
    x, stale = torch.randn(500, generator=torch.Generator().manual_seed(1)), torch.tensor([7.0])
    found = renewed(stale, 4, 3, "search", signed=signed, values=x)
    assert found.shape == stale.shape
    assert found.item() == least_error(x, 3, signed=signed).item()


def test_a_search_without_values_keeps_the_clipping_range():
    stale = torch.tensor([0.5])
    assert torch.equal(renewed(stale, 4, 3, "search", signed=True), closed_form(stale, 4, 3, signed=True))


def test_none_leaves_the_step_size_as_it_is():
    stale = torch.tensor([0.5])
    assert renewed(stale, 4, 3, "none", signed=True, values=torch.randn(9)) is stale
