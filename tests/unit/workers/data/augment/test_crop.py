"""Cropping moves samples by whole pixels and fills with zeros."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.data.augment.crop import crop, random_crop

shapes = st.sampled_from([(3, 2, 5, 4), (2, 3, 1, 4, 6), (1, 1, 1, 1)])


@given(shapes, st.integers(0, 3), st.integers(0, 9))
def test_the_shape_stays_and_the_middle_window_is_the_sample_itself(
    shape: tuple[int, ...], padding: int, seed: int
) -> None:
    x = torch.rand(shape)
    assert random_crop(x, padding, np.random.default_rng(seed)).shape == x.shape
    middle = torch.full((2, shape[-4]), padding)
    assert torch.equal(crop(x, padding, middle), x)


@given(shapes)
def test_no_padding_is_the_identity(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape)
    assert torch.equal(random_crop(x, 0, np.random.default_rng(0)), x)


def test_each_sample_moves_by_its_own_offset_with_zeros_from_outside() -> None:
    x_BCHW = torch.arange(1.0, 19.0).reshape(2, 1, 3, 3)
    found = crop(x_BCHW, 1, torch.tensor([[0, 2], [1, 2]]))  # down by one; up and left by one
    assert found[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert found[1, 0].tolist() == [[14, 15, 0], [17, 18, 0], [0, 0, 0]]


def test_all_frames_and_channels_of_a_sample_move_together() -> None:
    x_BCHW = torch.rand(5, 1, 4, 4)
    x_FBCHW = x_BCHW.expand(3, 5, 2, 4, 4)
    found = random_crop(x_FBCHW, 2, np.random.default_rng(1))
    assert torch.equal(found, random_crop(x_BCHW, 2, np.random.default_rng(1)).expand(3, 5, 2, 4, 4))


@pytest.mark.parametrize("padding", [1, 4])
def test_every_offset_is_drawn(padding: int) -> None:
    x_BCHW = torch.zeros(2_000, 1, 9, 9)
    x_BCHW[:, :, 4, 4] = 1
    found = random_crop(x_BCHW, padding, np.random.default_rng(0)).mean(dim=(0, 1))
    assert (found > 0).sum() == (2 * padding + 1) ** 2
