"""DVS-Gesture (Amir et al. 2017): eleven gestures before an event camera of 128x128 pixels.

Layout (the recordings cut into gestures, as they are commonly passed on):
ibmGestureTrain/userNN_light/LABEL.npy and ibmGestureTest/userNN_light/LABEL.npy; each an array [N, 4] with
the columns x, y, polarity and time in milliseconds. Nothing is unpickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from workers.data.events.layout import Layout, each
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

SIDE, CLASSES = 128, 11
MICROSECONDS = 1_000
"""In a millisecond."""
COLUMNS = 4


def listing(folder: Path) -> Listing:
    """All recordings. Raises DataMissingError or, for a file whose name is no label, DataDamagedError."""
    return Listing(train=_recordings(folder / "ibmGestureTrain"), test=_recordings(folder / "ibmGestureTest"))


def _recordings(folder: Path) -> tuple[Recording, ...]:
    found = sorted(folder.glob("user*_*/*.npy"))
    if not found:
        raise missing(folder.parent, f"no userNN_light/LABEL.npy files are in {folder}")
    return tuple(Recording(path=path, label=_label(path)) for path in found)


def _label(path: Path) -> int:
    if not (path.stem.isascii() and path.stem.isdigit() and int(path.stem) < CLASSES):
        raise damaged(path, f"its name is no label from 0 to {CLASSES - 1}")
    return int(path.stem)


def read(path: Path) -> Events:
    """The events of one file. Raises DataDamagedError."""
    _check_header(path)
    try:
        raw: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise damaged(path, f"it cannot be read to its end ({error})") from error
    if not np.isfinite(raw).all():
        raise damaged(path, "it holds values that are not finite")
    x, y, polarity, milliseconds = raw.T
    return checked_events(
        path, SENSOR, t=milliseconds.astype(np.int64) * MICROSECONDS, channel=polarity, y=y, x=x
    )


def _check_header(path: Path) -> None:
    """The shape and the type, against the size of the file, before anything is allocated."""
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, kind = header(file)
            content = path.stat().st_size - file.tell()
    except (OSError, EOFError, ValueError) as error:
        raise damaged(path, f"it is no .npy file ({error})") from error
    if len(shape) != 2 or shape[1] != COLUMNS or kind.kind not in "iuf":
        raise damaged(path, f"it holds {kind} {shape}; use numbers [events, {COLUMNS}]")
    check_count(path, shape[0])
    if content != shape[0] * COLUMNS * kind.itemsize:
        raise damaged(path, f"its header promises {shape[0] * COLUMNS * kind.itemsize} bytes, not {content}")


SENSOR = Sensor(channels=2, height=SIDE, width=SIDE)
DVS_GESTURE = Layout(
    name="dvs-gesture",
    summary="Eleven hand and arm gestures seen by an event camera, 128x128; 48x48 by default.",
    classes=CLASSES,
    sensor=SENSOR,
    size=48,
    by="count",
    listing=listing,
    read=each(read),
)
