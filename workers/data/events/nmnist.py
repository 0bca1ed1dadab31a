"""N-MNIST (Orchard et al. 2015): MNIST shown to a moving camera of 34x34 pixels.

Layout: Train/<digit>/*.bin and Test/<digit>/*.bin. An event is five bytes: column, row, then, big-endian, one
bit of polarity and 23 bits of time in microseconds. A row of 240 is no event but says that the camera's clock
overflowed: all later times are 2^13 greater.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workers.data.events.layout import Layout, each
from workers.data.events.recording import (
    Events,
    Listing,
    Recording,
    Sensor,
    check_count,
    checked_events,
    damaged,
    listed,
)

SIDE, CLASSES = 34, 10
EVENT_BYTES = 5
OVERFLOW_ROW, OVERFLOW = 240, 2**13


def listing(folder: Path) -> Listing:
    """All recordings. Raises DataMissingError unless every digit has some."""
    return Listing(train=_recordings(folder / "Train"), test=_recordings(folder / "Test"))


def _recordings(folder: Path) -> tuple[Recording, ...]:
    return tuple(
        Recording(path=path, label=digit)
        for digit in range(CLASSES)
        for path in listed(folder / str(digit), (".bin",))
    )


def read(path: Path) -> Events:
    """The events of one file. Raises DataDamagedError."""
    size = path.stat().st_size
    if size % EVENT_BYTES:
        raise damaged(path, f"its {size} bytes are no multiple of {EVENT_BYTES}")
    check_count(path, size // EVENT_BYTES)
    raw = np.fromfile(path, dtype=np.uint8).reshape(-1, EVENT_BYTES).astype(np.int64)
    x, y, first, second, third = raw.T
    overflows = y == OVERFLOW_ROW
    t = ((first & 127) << 16 | second << 8 | third) + OVERFLOW * np.cumsum(overflows)
    events = ~overflows
    return checked_events(path, SENSOR, t=t[events], channel=(first >> 7)[events], y=y[events], x=x[events])


SENSOR = Sensor(channels=2, height=SIDE, width=SIDE)
N_MNIST = Layout(
    name="n-mnist",
    summary="Handwritten digits seen by a moving event camera, 34x34: 60,000 to train and 10,000 to test.",
    classes=CLASSES,
    sensor=SENSOR,
    size=SIDE,
    by="count",
    listing=listing,
    read=each(read),
)
