"""Event data sets as sources: the published ones from the user's disk, binned to frames and cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.errors import DataDamagedError, DataMissingError, InvalidInputError
from workers.data.events.binning import bin_events
from workers.data.events.cache import cache_folder, cached
from workers.data.events.known import known_of, stamp_of
from workers.data.events.layout import Layout
from workers.data.events.recording import Recording
from workers.data.images import DatasetInfo, DatasetSource, LabelledArrays, RawImages, unavailable

FRAMES, MOST_FRAMES = 10, 256
LEAST_SIZE = 4
WRITTEN_TOGETHER = 64
"""Samples whose frames are in memory at once."""


@runtime_checkable
class EventSource(DatasetSource, Protocol):
    """A source of event data, whose frames and size a job may choose."""

    def configured(self, *, frames: int | None, size: int | None) -> DatasetSource:
        """The same source with that many frames and that side; None leaves the default.

        Raises InvalidInputError (pointer /dataset/frames or /dataset/size).
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedEvents:
    """A published data set in `<data folder>/<name>`; `size` is the side of its frames, 0 without a map."""

    layout: Layout
    data_folder: Path
    frames: int = FRAMES
    size: int

    @classmethod
    def under(cls, data_folder: Path, layout: Layout) -> PublishedEvents:
        """With the defaults of its layout."""
        return cls(layout=layout, data_folder=data_folder, size=layout.size)

    def configured(self, *, frames: int | None, size: int | None) -> PublishedEvents:
        """See EventSource."""
        return replace(
            self,
            frames=checked_frames(frames),
            size=self.size if size is None else _checked_size(size, self.layout),
        )

    def info(self) -> DatasetInfo:
        """Lists the files, once for each state of their folders, and reads no events."""
        layout = self.layout
        try:
            known = known_of(layout, self._folder)
        except (DataMissingError, DataDamagedError, OSError) as error:
            return unavailable(layout.name, layout.summary, str(error))
        return DatasetInfo(
            name=layout.name,
            summary=layout.summary,
            sample_shape=self._sample_shape,
            classes=layout.classes,
            train_samples=known.train_samples,
            stamp=known.stamp,
            frames=self.frames,
        )

    def load(self) -> RawImages:
        """Memory-mapped frames; made first, which takes a pass over all events, where they are not cached.

        Raises DataMissingError or DataDamagedError.
        """
        listing = self.layout.listing(self._folder)
        return RawImages(
            labelled=self._labelled("train", listing.train),
            test=None if listing.test is None else self._labelled("test", listing.test),
            classes=self.layout.classes,
            frames=self.frames,
        )

    @property
    def _folder(self) -> Path:
        return self.data_folder / self.layout.name

    @property
    def _sample_shape(self) -> tuple[int, int, int]:
        sensor = self.layout.sensor
        return (sensor.channels, self.size or sensor.height, self.size or sensor.width)

    def _labelled(self, part: str, recordings: Sequence[Recording]) -> LabelledArrays:
        name = f"{self.layout.name}-{part}-{self.frames}x{self.size}-{stamp_of(recordings)}.npy"
        shape = (len(recordings), self.frames, *self._sample_shape)
        frames = cached(cache_folder(self.data_folder) / name, shape, lambda: together(self._bin(recordings)))
        return LabelledArrays(x_NCHW=frames, y_N=np.array([one.label for one in recordings], dtype=np.int64))

    def _bin(self, recordings: Sequence[Recording]) -> Iterator[NDArray[np.uint8]]:
        layout = self.layout
        for events in layout.read(recordings):
            yield bin_events(events, layout.sensor, frames=self.frames, size=self.size, by=layout.by)


def together(samples: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Samples [F, C, H, W] as chunks [n, F, C, H, W]."""
    while chunk := list(islice(samples, WRITTEN_TOGETHER)):
        yield np.stack(chunk)


def checked_frames(frames: int | None) -> int:
    """The number of frames, or the default. Raises InvalidInputError."""
    if frames is not None and not 1 <= frames <= MOST_FRAMES:
        raise InvalidInputError(
            f"{frames} frames asked for.", fix=f"Use 1 to {MOST_FRAMES}.", pointer="/dataset/frames"
        )
    return FRAMES if frames is None else frames


def _checked_size(size: int, layout: Layout) -> int:
    most = layout.sensor.height
    if not layout.size:
        raise no_size(layout.name)
    if not LEAST_SIZE <= size <= most:
        raise InvalidInputError(
            f"{layout.name} cannot be given a side of {size}.",
            fix=f"Use {LEAST_SIZE} to {most}.",
            pointer="/dataset/size",
        )
    return size


def no_size(name: str) -> InvalidInputError:
    """The error for a size given to a set that has just one."""
    return InvalidInputError(f"{name} has no other size.", fix="Leave the size out.", pointer="/dataset/size")
