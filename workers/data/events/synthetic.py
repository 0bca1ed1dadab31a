"""Event versions of still images: `event-digits` and `event-fashion-mnist`, made by a simulated camera.

Samples keep the places and the classes of their images, so every split holds the same images as it does for
the still data set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.data.events.cache import cache_folder, cached
from workers.data.events.camera import film, sensor_side
from workers.data.events.source import FRAMES, checked_frames, no_size
from workers.data.images import DatasetInfo, DatasetSource, LabelledArrays, RawImages
from workers.data.samples import GREATEST_BYTE

VERSION = 1
"""Of the simulated camera: a new one makes all cached frames anew."""
FILMED_TOGETHER = 128
"""Images; so many fit into a processor's cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedEvents:
    """The frames of a camera that moves before each of the grey, square images of another source."""

    name: str
    still: DatasetSource
    data_folder: Path
    frames: int = FRAMES

    def configured(self, *, frames: int | None, size: int | None) -> SimulatedEvents:
        """See EventSource; there is no other size."""
        if size is not None:
            raise no_size(self.name)
        return replace(self, frames=checked_frames(frames))

    def info(self) -> DatasetInfo:
        """That of the still images, with frames."""
        still = self.still.info()
        if not still.available:
            return replace(still, name=self.name)
        side = sensor_side(still.sample_shape[1])
        return replace(
            still,
            name=self.name,
            summary=f"{still.name} before a moving, simulated event camera.",
            sample_shape=(2, side, side),
            stamp=f"{still.stamp}-v{VERSION}",
            frames=self.frames,
        )

    def load(self) -> RawImages:
        """Memory-mapped frames, filmed first where they are not cached. Raises what the still source does."""
        still = self.still.load()
        return RawImages(
            labelled=self._labelled("train", still.labelled),
            test=None if still.test is None else self._labelled("test", still.test),
            classes=still.classes,
            frames=self.frames,
        )

    def _labelled(self, part: str, images: LabelledArrays) -> LabelledArrays:
        x_NCHW = images.x_NCHW
        if not isinstance(x_NCHW, np.ndarray):
            raise TypeError("streamed images are never filmed")
        name = f"{self.name}-{part}-{self.frames}-{_stamp(x_NCHW)}.npy"
        side = sensor_side(x_NCHW.shape[2])
        shape = (len(x_NCHW), self.frames, 2, side, side)
        frames = cached(cache_folder(self.data_folder) / name, shape, lambda: _filmed(x_NCHW, self.frames))
        return LabelledArrays(x_NCHW=frames, y_N=images.y_N)


def _filmed(x_NCHW: NDArray[Any], frames: int) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(x_NCHW), FILMED_TOGETHER):
        x_BHW = x_NCHW[start : start + FILMED_TOGETHER, 0].astype(np.float32)
        yield film(x_BHW / np.float32(GREATEST_BYTE) if x_NCHW.dtype == np.uint8 else x_BHW, frames)


def _stamp(x_NCHW: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"version {VERSION} {x_NCHW.dtype.str}".encode())
    digest.update(np.ascontiguousarray(x_NCHW).data)
    return digest.hexdigest()[:16]
