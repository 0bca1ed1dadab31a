"""The values of the data package: labelled samples before and after splitting, and what a source offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workers.data.samples import Samples, Stored


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetInfo:
    """What can be said of a data set without loading it.

    `train_samples` counts the training images that are left after the split; it, the shape and the classes
    are 0 where the files are missing. `reason` says why a data set is not available. `stamp` changes whenever
    the files do, so that results of one version are not taken for those of another. `frames` counts the
    frames of event data; images have 0.
    """

    name: str
    summary: str
    sample_shape: tuple[int, int, int]  # channels, height, width
    classes: int
    train_samples: int
    stamp: str = ""
    available: bool = True
    reason: str = ""
    frames: int = 0


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
    """Samples as stored, and their classes, int64 [N].

    Samples are bytes (0 to 255) or float32, shape [N, C, H, W], or [N, F, C, H, W] for event data: an array
    in memory, a memory-mapped one, or samples that are streamed.
    """

    x_NCHW: Stored  # noqa: N815 - the letters are the axes
    y_N: NDArray[np.int64]  # noqa: N815 - the letters are the axes


@dataclass(frozen=True, kw_only=True, slots=True)
class RawImages:
    """A whole data set; `test` is None where the source names no test samples of its own.

    `frames` counts the frames of event data; images have 0.
    """

    labelled: LabelledArrays
    test: LabelledArrays | None
    classes: int
    frames: int = 0


class DatasetSource(Protocol):
    """A data set in one folder. Implementations are cheap to make: only `load` reads the images."""

    def info(self) -> DatasetInfo:
        """What is known without loading; never raises for missing or damaged files."""

    def load(self) -> RawImages:
        """Read everything. Raises DataMissingError or DataDamagedError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """What a trial trains on, selects by and is measured on; `sha256` is of the samples and labels used."""

    train: Samples
    validation: Samples
    test: Samples
    sample_shape: tuple[int, int, int]
    classes: int
    sha256: str
    frames: int = 0
