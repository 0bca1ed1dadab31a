"""Which augmentations a training uses, in which order, and from which draws.

    unit samples (bytes as 0 to 1):   policy, crop, flip
    then scaled by mean and deviation: cutout (0 is then the mean), mixup

A draw is a pure function of (seed, epoch, number of the batch), so a resumed training sees the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from workers.data.augment.crop import random_crop
from workers.data.augment.cutout import random_cutout
from workers.data.augment.flip import random_flip
from workers.data.augment.mixup import mixup
from workers.data.augment.policy import random_policy

UNIT, SCALED = 0, 1
"""What a draw is for; each stage has a generator of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmentation:
    """The settings of `training.augment`; the defaults leave samples as they are.

    `crop` is the padding in pixels, `cutout` the side of the hole, `mixup` the alpha of its Beta
    distribution.
    """

    crop: int = 0
    flip: bool = False
    cutout: int = 0
    policy: Literal["none", "auto"] = "none"
    mixup: float = 0.0

    def before_scaling(
        self, x: torch.Tensor, random: np.random.Generator, *, photometric: bool
    ) -> torch.Tensor:
        """Unit samples, changed; `photometric` allows changes of brightness too (images of bytes)."""
        if self.policy == "auto":
            x = random_policy(x, random, photometric=photometric)
        x = random_crop(x, self.crop, random)
        return random_flip(x, random) if self.flip else x

    def after_scaling(
        self, x: torch.Tensor, y_B: torch.Tensor, classes: int, random: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(scaled samples, changed, their targets): classes [B], or with mixup the shares of them [B, K]."""
        x = random_cutout(x, self.cutout, random)
        return mixup(x, y_B, self.mixup, classes, random) if self.mixup > 0 else (x, y_B)
