"""The losses of a training, from their formulas."""

import pytest
import torch
from torch.nn import functional

from search.recipe import TrainingSpec
from workers.losses import loss_of

LOGITS = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
CLASSES = torch.tensor([0, 1, 2, 3, 1])
SHARES = torch.softmax(torch.randn(5, 4, generator=torch.Generator().manual_seed(1)), 1)


@pytest.mark.parametrize("target", [CLASSES, SHARES])
def test_cross_entropy_is_of_the_mean_over_frames(target):
    expected = functional.cross_entropy(LOGITS.mean(0), target, label_smoothing=0.1)
    assert torch.equal(loss_of(LOGITS, target, TrainingSpec(label_smoothing=0.1)), expected)


@pytest.mark.parametrize("target", [CLASSES, SHARES])
def test_tet_is_the_mean_of_the_frames_losses_and_a_pull_to_a_constant(target):
    recipe = TrainingSpec(loss="tet", tet={"share": 0.3, "constant": 2.0})
    wrong = sum(functional.cross_entropy(frame, target) for frame in LOGITS) / 3
    far = ((LOGITS - 2.0) ** 2).mean()
    torch.testing.assert_close(loss_of(LOGITS, target, recipe), 0.7 * wrong + 0.3 * far)


def test_tet_of_a_single_frame_without_the_pull_is_cross_entropy():
    recipe = TrainingSpec(loss="tet", tet={"share": 0})
    torch.testing.assert_close(
        loss_of(LOGITS[:1], CLASSES, recipe), loss_of(LOGITS[:1], CLASSES, TrainingSpec())
    )
