"""What a batch becomes is a function of the settings, the seed, the epoch and its number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.data.augment import Augmentation, Draws
from workers.data.augment.augmentation import SCALED, UNIT

ALL = Augmentation(crop=2, flip=True, cutout=3, policy="auto", mixup=0.4)
X_BCHW = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
Y_B = torch.arange(8) % 4


def both_stages(
    augmentation: Augmentation, x: torch.Tensor, draws: Draws, batch: int
) -> tuple[torch.Tensor, torch.Tensor]:
    x = augmentation.before_scaling(x, draws.random(batch, UNIT), photometric=x.dim() == 4)
    return augmentation.after_scaling(x, Y_B, 4, draws.random(batch, SCALED))


def test_by_default_nothing_is_changed() -> None:
    x, target = both_stages(Augmentation(), X_BCHW, Draws(seed=0, epoch=0), 0)
    assert x is X_BCHW
    assert target is Y_B


def test_the_same_draw_gives_the_same_batch_and_every_other_one_another() -> None:
    given = [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    found = [both_stages(ALL, X_BCHW, Draws(seed=s, epoch=e), b)[0] for s, e, b in given]
    assert torch.equal(found[0], found[1])
    assert not any(torch.equal(found[0], other) for other in found[2:])


@pytest.mark.parametrize("shape", [(8, 3, 8, 8), (5, 8, 2, 8, 8), (8, 1, 7, 9)])
def test_shapes_stay(shape: tuple[int, ...]) -> None:
    x, targets_BK = both_stages(ALL, torch.rand(shape), Draws(seed=0, epoch=0), 0)
    assert x.shape == shape
    assert x.dtype == torch.float32
    assert targets_BK.shape == (8, 4)


def test_the_stages_draw_independently() -> None:
    draws = Draws(seed=3, epoch=4)
    assert not np.array_equal(draws.random(5, UNIT).random(4), draws.random(5, SCALED).random(4))
