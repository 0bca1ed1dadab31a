"""The digits are those of scikit-learn, scaled to 0 to 1."""

from __future__ import annotations

import numpy as np

from workers.data.digits import Digits


def test_the_images_are_real_and_scaled() -> None:
    raw = Digits().load()
    assert raw.labelled.x_NCHW.shape == (1_797, 1, 8, 8)
    assert raw.labelled.x_NCHW.dtype == np.float32
    assert (raw.labelled.x_NCHW.min(), raw.labelled.x_NCHW.max()) == (0, 1)
    assert set(raw.labelled.y_N.tolist()) == set(range(10))
