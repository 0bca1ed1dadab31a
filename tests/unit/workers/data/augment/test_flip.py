"""Flipping mirrors whole samples, and twice is not at all."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.data.augment.flip import flip, random_flip


@given(st.sampled_from([(4, 2, 3, 5), (2, 4, 1, 3, 4)]), st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_flip_is_its_own_inverse(shape: tuple[int, ...], chosen: list[bool]) -> None:
    x, chosen_B = torch.rand(shape), torch.tensor(chosen)
    assert torch.equal(flip(flip(x, chosen_B), chosen_B), x)


def test_only_the_chosen_samples_are_mirrored_in_every_frame() -> None:
    x_FBCHW = torch.rand(3, 2, 1, 2, 4)
    found = flip(x_FBCHW, torch.tensor([True, False]))
    assert torch.equal(found[:, 0], x_FBCHW[:, 0].flip(-1))
    assert torch.equal(found[:, 1], x_FBCHW[:, 1])


def test_about_half_of_the_samples_are_mirrored() -> None:
    x_BCHW = torch.tensor([0.0, 1.0]).expand(2_000, 1, 1, 2)
    assert 0.45 < random_flip(x_BCHW, np.random.default_rng(0))[:, 0, 0, 0].mean() < 0.55
