"""Spiking Heidelberg Digits (Cramer et al. 2020): spoken digits through an artificial cochlea.

Layout: shd_train.h5 and shd_test.h5, each with `labels` [N] and, for each recording, an array of varying
length in `spikes/times` (seconds) and one in `spikes/units` (0 to 699).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from workers.data.events.layout import Layout
from workers.data.events.recording import (
    Events,
    Listing,
    Recording,
    Sensor,
    check_count,
    checked_events,
    damaged,
    missing,
)

UNITS, CLASSES = 700, 20
MICROSECONDS = 1_000_000
"""In a second."""
MOST_RECORDINGS = 1_000_000
UNREADABLE = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError)
"""What h5py raises for damaged files and for ones that hold something else."""


def listing(folder: Path) -> Listing:
    """All recordings; reads the labels. Raises DataMissingError or DataDamagedError."""
    return Listing(train=_recordings(folder / "shd_train.h5"), test=_recordings(folder / "shd_test.h5"))


def _recordings(path: Path) -> tuple[Recording, ...]:
    if not path.is_file():
        raise missing(path.parent, f"{path.name} is not in {path.parent}")
    try:
        with h5py.File(path, "r") as file:
            labels = _labels(path, file)
    except UNREADABLE as error:
        raise damaged(path, f"it cannot be read ({error})") from error
    if not (labels.min() >= 0 and labels.max() < CLASSES):
        raise damaged(path, f"its labels go from {labels.min()} to {labels.max()}; use 0 to {CLASSES - 1}")
    return tuple(Recording(path=path, label=int(label), place=place) for place, label in enumerate(labels))


def _labels(path: Path, file: h5py.File) -> NDArray[Any]:
    """The labels, once every array is known to be as long, by its header alone."""
    counts = {name: file[name].shape for name in ("labels", "spikes/times", "spikes/units")}
    if len(set(counts.values())) != 1 or len(counts["labels"]) != 1:
        raise damaged(path, f"its arrays have the shapes {counts}")
    if not 0 < counts["labels"][0] <= MOST_RECORDINGS:
        raise damaged(path, f"it holds {counts['labels'][0]} recordings")
    if file["labels"].dtype.kind not in "iu":
        raise damaged(path, f"its labels are {file['labels'].dtype}")
    labels: NDArray[Any] = file["labels"][()]
    return labels


def read(recordings: Sequence[Recording]) -> Iterator[Events]:
    """The events of each recording; a file is opened once. Raises DataDamagedError."""
    for path, group in groupby(recordings, key=lambda recording: recording.path):
        try:
            with h5py.File(path, "r") as file:
                times, units = file["spikes/times"], file["spikes/units"]
                for recording in group:
                    yield _events(path, times[recording.place], units[recording.place])
        except UNREADABLE as error:
            raise damaged(path, f"it cannot be read to its end ({error})") from error


def _events(path: Path, seconds: NDArray[Any], units: NDArray[Any]) -> Events:
    check_count(path, len(seconds))
    seconds_N = seconds.astype(np.float64)
    if not np.isfinite(seconds_N).all():
        raise damaged(path, "a time is not finite")
    nowhere = np.zeros(len(seconds_N), dtype=np.int64)
    t_N = np.rint(seconds_N * MICROSECONDS)
    return checked_events(path, SENSOR, t=t_N, channel=units, y=nowhere, x=nowhere)


SENSOR = Sensor(channels=UNITS, height=1, width=1)
SHD = Layout(
    name="shd",
    summary="Spoken digits in English and German through an artificial cochlea of 700 channels, 20 classes.",
    classes=CLASSES,
    sensor=SENSOR,
    size=0,
    by="time",
    listing=listing,
    read=read,
)
