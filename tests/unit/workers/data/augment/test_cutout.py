"""A hole is where it should be, and nowhere else."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.data.augment.cutout import cutout, random_cutout


@given(st.integers(1, 9), st.integers(0, 6), st.integers(0, 4))
def test_the_hole_is_the_square_around_its_centre_within_the_map(side: int, row: int, column: int) -> None:
    x_BCHW = torch.ones(2, 3, 7, 5)
    found = cutout(x_BCHW, side, torch.tensor([[row, 0], [column, 0]]))
    top, left = row - side // 2, column - side // 2
    expected_HW = torch.ones(7, 5)
    expected_HW[max(top, 0) : top + side, max(left, 0) : left + side] = 0
    assert torch.equal(found[0], expected_HW.expand(3, 7, 5))


def test_no_side_is_the_identity() -> None:
    x_BCHW = torch.rand(2, 1, 4, 4)
    assert random_cutout(x_BCHW, 0, np.random.default_rng(0)) is x_BCHW


def test_all_frames_have_the_same_hole_and_samples_have_their_own() -> None:
    found = random_cutout(torch.ones(4, 20, 2, 8, 8), 3, np.random.default_rng(0))
    assert torch.equal(found, found[:1].expand_as(found))
    assert len({tuple(sample.flatten().tolist()) for sample in found[0, :, 0]}) > 10


def test_the_argument_stays_as_it_is() -> None:
    x_BCHW = torch.ones(2, 1, 4, 4)
    random_cutout(x_BCHW, 2, np.random.default_rng(0))
    assert x_BCHW.all()
