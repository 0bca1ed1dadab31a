"""What lets one network read the same for images and for event data."""

import pytest
import torch
from torch import nn

from models.nets.frames import MapNorm, MapPool, VectorNorm, per_frame, pooled, residual_sum

MAPS = torch.randn(3, 4, 2, 6, 5, generator=torch.Generator().manual_seed(0))


def test_an_operation_sees_maps_alone_or_frame_by_frame():
    pool = nn.MaxPool2d(2)
    assert torch.equal(per_frame(pool, MAPS[0]), pool(MAPS[0]))
    assert torch.equal(MapPool(pool)(MAPS), torch.stack([pool(frame) for frame in MAPS]))


@pytest.mark.parametrize("x", [MAPS, MAPS.mean((-2, -1))], ids=["maps", "vectors"])
def test_norms_take_their_statistics_over_frames_and_samples(x):
    norm = MapNorm(2) if x.dim() > 3 else VectorNorm(2)
    normed = norm(x).transpose(0, 2).flatten(1)
    torch.testing.assert_close(normed.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(normed.var(1, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    assert norm.num_batches_tracked == 1
    assert torch.equal(norm(x[0]), norm(x[0].unsqueeze(0))[0])


def test_a_shortcut_is_regrouped_to_the_frames_of_its_branch():
    assert torch.equal(residual_sum(MAPS[0], MAPS[1]), MAPS[0] + MAPS[1])
    branch = torch.zeros(1, *MAPS.shape[1:])
    torch.testing.assert_close(residual_sum(branch, MAPS), MAPS.mean(0, keepdim=True))
    held = residual_sum(torch.zeros(6, *MAPS.shape[1:]), MAPS)
    assert torch.equal(held, MAPS.repeat_interleave(2, 0))


def test_pooling_keeps_frames():
    assert pooled(MAPS).shape == (3, 4, 2)
    assert pooled(MAPS[0]).shape == (4, 2)
