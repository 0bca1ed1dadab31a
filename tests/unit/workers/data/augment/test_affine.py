"""Affine changes agree with whole turns and shifts that need no interpolation."""

from __future__ import annotations

import pytest
import torch

from workers.data.augment.affine import affine, rotation, shear, translation

X_BCHW = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def both(value: float) -> torch.Tensor:
    return torch.full((2,), value)


@pytest.mark.parametrize(
    "matrices_B23",
    [
        rotation(both(0), 6, 6),
        shear(both(0), both(0)),
        translation(both(0), both(0)),
        rotation(both(360), 6, 6),
    ],
)
def test_no_change_is_the_identity(matrices_B23: torch.Tensor) -> None:
    assert torch.allclose(affine(X_BCHW, matrices_B23), X_BCHW, atol=1e-5)


def test_a_quarter_turn_is_that_of_the_tensor() -> None:
    assert torch.allclose(affine(X_BCHW, rotation(both(90), 6, 6)), X_BCHW.rot90(1, (2, 3)), atol=1e-5)


def test_a_half_turn_of_a_map_that_is_not_square() -> None:
    x_BCHW = torch.rand(1, 1, 4, 7)
    found = affine(x_BCHW, rotation(torch.tensor([180.0]), 4, 7))
    assert torch.allclose(found, x_BCHW.flip(-1, -2), atol=1e-5)


def test_a_right_angle_stays_right_on_a_map_that_is_not_square() -> None:
    x_BCHW = torch.zeros(1, 1, 5, 9)
    x_BCHW[..., 2, 6] = 1  # two pixels right of the middle
    found = affine(x_BCHW, rotation(torch.tensor([90.0]), 5, 9))
    assert torch.allclose(found[..., 0, 4], torch.ones(1, 1), atol=1e-5)  # two pixels above it


def test_a_shift_by_whole_pixels_brings_zeros_from_outside() -> None:
    found = affine(X_BCHW, translation(both(1 / 6), both(0)))
    assert torch.allclose(found[..., :-1], X_BCHW[..., 1:], atol=1e-5)
    assert found[..., -1].abs().max() < 1e-5


def test_every_sample_has_its_own_change_in_all_of_its_frames() -> None:
    matrices_B23 = rotation(torch.tensor([0.0, 90.0]), 6, 6)
    x_FBCHW = torch.rand(4, 2, 3, 6, 6)
    found = affine(x_FBCHW, matrices_B23)
    assert torch.allclose(found[:, 0], x_FBCHW[:, 0], atol=1e-5)
    assert torch.allclose(found[:, 1], x_FBCHW[:, 1].rot90(1, (2, 3)), atol=1e-5)
