"""Mixed samples are means of two, and their targets are shares that add up to one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.data.augment.mixup import mixed, mixup


@given(st.integers(0, 99), st.floats(0.05, 4.0), st.sampled_from([(6, 1, 2, 2), (3, 6, 1, 2, 2)]))
def test_targets_add_up_to_one_and_the_sample_itself_weighs_most(
    seed: int, alpha: float, shape: tuple[int, ...]
) -> None:
    y_B = torch.tensor([0, 1, 2, 3, 0, 4])
    x, targets_BK = mixup(torch.rand(shape), y_B, alpha, 5, np.random.default_rng(seed))
    assert x.shape == shape
    assert targets_BK.shape == (6, 5)
    assert targets_BK.sum(1).numpy() == pytest.approx(1.0)
    assert bool((targets_BK[torch.arange(6), y_B] >= 0.5 - 1e-6).all())


def test_samples_and_targets_are_mixed_in_the_same_shares() -> None:
    y_B, partners_B = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])
    x_BCHW = torch.eye(3).reshape(3, 3, 1, 1)  # each sample is its own target
    found, targets_BK = mixed(x_BCHW, y_B, 0.75, partners_B, 3)
    assert torch.equal(found.flatten(1), targets_BK)
    assert targets_BK.tolist() == [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]]


def test_a_share_of_one_is_the_sample_itself() -> None:
    x_BCHW = torch.rand(4, 1, 2, 2)
    found, targets_BK = mixed(x_BCHW, torch.arange(4), 1.0, torch.tensor([3, 2, 1, 0]), 4)
    assert torch.equal(found, x_BCHW)
    assert torch.equal(targets_BK, torch.eye(4))
