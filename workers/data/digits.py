"""The `digits` data set: 1,797 real 8x8 images of handwritten digits that come with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.data.images import DatasetInfo, LabelledArrays, RawImages
from workers.data.splits import split_sizes

IMAGES, CLASSES, SIDE, BRIGHTEST = 1_797, 10, 8, 16


@dataclass(frozen=True, slots=True)
class Digits:
    """Needs no files: a data set for first steps and for tests."""

    def info(self) -> DatasetInfo:
        """What is known without importing scikit-learn."""
        return DatasetInfo(
            name="digits",
            summary=f"{IMAGES:,} grey 8x8 images of handwritten digits, from scikit-learn.",
            sample_shape=(1, SIDE, SIDE),
            classes=CLASSES,
            train_samples=split_sizes(IMAGES, own_test=False).train,
        )

    def load(self) -> RawImages:
        """Images scaled to 0 to 1."""
        from sklearn.datasets import load_digits

        found = load_digits()
        x_NCHW = (found.images[:, None] / BRIGHTEST).astype(np.float32)
        labelled = LabelledArrays(x_NCHW=x_NCHW, y_N=found.target.astype(np.int64))
        return RawImages(labelled=labelled, test=None, classes=CLASSES)
