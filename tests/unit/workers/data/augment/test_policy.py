"""The policy draws an operation for every sample, and changes places alone in event data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.data.augment import policy
from workers.data.augment.policy import GEOMETRIC, PHOTOMETRIC, random_policy

X_BCHW = torch.rand(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_draw_alone_decides() -> None:
    torch.manual_seed(1)
    first = random_policy(X_BCHW, np.random.default_rng(5), photometric=True)
    torch.manual_seed(2)
    assert torch.equal(random_policy(X_BCHW, np.random.default_rng(5), photometric=True), first)
    assert not torch.equal(random_policy(X_BCHW, np.random.default_rng(6), photometric=True), first)


def test_samples_are_changed_in_different_ways_and_stay_within_0_and_1() -> None:
    before = X_BCHW.clone()
    found = random_policy(X_BCHW, np.random.default_rng(0), photometric=True)
    changed_B = (found - X_BCHW).abs().amax(dim=(1, 2, 3)) > 1e-3
    assert 32 < changed_B.sum() <= 64
    assert found.min() >= -1e-6
    assert found.max() <= 1 + 1e-6
    assert torch.equal(X_BCHW, before)


@pytest.mark.parametrize("number", range(len(GEOMETRIC + PHOTOMETRIC)))
def test_every_operation_takes_every_strength(number: int) -> None:
    operation = (GEOMETRIC + PHOTOMETRIC)[number]
    found = operation(X_BCHW, torch.linspace(-1, 1, 64))
    assert found.shape == X_BCHW.shape
    assert found.isfinite().all()


def test_all_frames_of_a_sample_are_changed_alike_and_only_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "PHOTOMETRIC", ())
    x_FBCHW = torch.rand(1, 16, 2, 8, 8).expand(3, 16, 2, 8, 8)
    found = random_policy(x_FBCHW, np.random.default_rng(0), photometric=False)
    assert torch.allclose(found, found[:1].expand_as(found), atol=1e-6)
    zeros = torch.zeros(4, 16, 2, 8, 8)
    assert torch.equal(random_policy(zeros, np.random.default_rng(0), photometric=False), zeros)
