"""The values of the data package: labelled images before and after splitting, and what a source offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetInfo:
    """What can be said of a data set without loading it.

    `train_samples` counts the training images that are left after the split; it, the shape and the classes
    are 0 where the files are missing. `reason` says why a data set is not available. `stamp` changes whenever
    the files do, so that results of one version are not taken for those of another.
    """

    name: str
    summary: str
    sample_shape: tuple[int, int, int]  # channels, height, width
    classes: int
    train_samples: int
    stamp: str = ""
    available: bool = True
    reason: str = ""


def unavailable(name: str, summary: str, reason: str) -> DatasetInfo:
    """The entry of a data set that cannot be used now."""
    return DatasetInfo(
        name=name,
        summary=summary,
        sample_shape=(0, 0, 0),
        classes=0,
        train_samples=0,
        available=False,
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledArrays:
    """Images as stored, uint8 (0 to 255) or float32, shape [N, C, H, W], and their classes, int64 [N]."""

    x_NCHW: NDArray[Any]  # noqa: N815 - the letters are the axes
    y_N: NDArray[np.int64]  # noqa: N815 - the letters are the axes

    def take(self, chosen: NDArray[np.intp]) -> LabelledArrays:
        """The images at the given places."""
        return LabelledArrays(x_NCHW=self.x_NCHW[chosen], y_N=self.y_N[chosen])


@dataclass(frozen=True, kw_only=True, slots=True)
class RawImages:
    """A whole data set; `test` is None where the source names no test images of its own."""

    labelled: LabelledArrays
    test: LabelledArrays | None
    classes: int


class DatasetSource(Protocol):
    """A data set in one folder. Implementations are cheap to make: only `load` reads the images."""

    def info(self) -> DatasetInfo:
        """What is known without loading; never raises for missing or damaged files."""

    def load(self) -> RawImages:
        """Read everything. Raises DataMissingError or DataDamagedError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledImages:
    """Normalised images, float32 [N, channels, height, width], and their classes, int64 [N]."""

    x_NCHW: torch.Tensor  # noqa: N815 - the letters are the axes
    y_N: torch.Tensor  # noqa: N815 - the letters are the axes


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """What a trial trains on, selects by and is measured on; `sha256` is of the images and labels used."""

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    sample_shape: tuple[int, int, int]
    classes: int
    sha256: str
