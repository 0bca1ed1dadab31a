"""Regrouping frames: the mean of neighbours where there are more, held frames where there are fewer."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.functional import regroup

counts = st.integers(1, 12)


@given(F=counts, T=counts)
def test_regrouping_follows_the_formula(F, T):
    frames = torch.randn(F, 3, dtype=torch.float64)
    found = regroup(frames, T)
    for t in range(T):
        first, end = t * F // T, (t + 1) * F // T
        wanted = frames[first:end].mean(0) if T < F else frames[first]
        torch.testing.assert_close(found[t], wanted)


@given(groups=counts, size=counts)
def test_whole_groups_keep_the_mean(groups, size):
    frames = torch.randn(groups * size, 2, dtype=torch.float64)
    torch.testing.assert_close(regroup(frames, groups).mean(0), frames.mean(0))
    held = regroup(frames, 3 * groups * size)
    torch.testing.assert_close(held.mean(0), frames.mean(0))


@given(F=counts, T=counts)
def test_the_gradient_is_that_of_the_linear_map(F, T):
    frames = torch.randn(F, 2, dtype=torch.float64, requires_grad=True)
    grad = torch.randn(T, 2, dtype=torch.float64)
    (found,) = torch.autograd.grad(regroup(frames, T), frames, grad)
    matrix_TF = regroup(torch.eye(F, dtype=torch.float64), T)
    torch.testing.assert_close(found, matrix_TF.T @ grad)


def test_as_many_frames_as_steps_are_the_very_tensor():
    frames = torch.randn(4, 2)
    assert regroup(frames, 4) is frames


@pytest.mark.parametrize(("F", "T"), [(0, 1), (1, 0)])
def test_nothing_cannot_be_regrouped(F, T):
    with pytest.raises(ValueError, match="at least one"):
        regroup(torch.zeros(F, 2), T)
