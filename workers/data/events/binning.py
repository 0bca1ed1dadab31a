"""Events to frames: counts of events per frame and pixel.

N events in the order of their times, F frames; event i at time t_i belongs to frame

    by count:  floor(i * F / N)                           every frame holds as many events, to within one
    by time:   floor((t_i - t_0) * F / (t_N-1 - t_0 + 1))  every frame takes as long

A map is reduced to a smaller side S by adding up pixels: row floor(y * S / height), column likewise, so no
event is lost. Counts above 255 are stored as 255.
"""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from workers.data.events.recording import Events, Sensor

By = Literal["count", "time"]
GREATEST_COUNT = 255


def bin_events(events: Events, sensor: Sensor, *, frames: int, size: int, by: By) -> NDArray[np.uint8]:
    """Counts [F, C, S, S], or [F, C, height, width] of the sensor where `size` is 0."""
    height, width = (size, size) if size else (sensor.height, sensor.width)
    shape = (frames, sensor.channels, height, width)
    places_N = np.ravel_multi_index(
        (
            frame_of(events.t_N, frames, by),
            events.channel_N,
            events.y_N * height // sensor.height,
            events.x_N * width // sensor.width,
        ),
        shape,
    )
    counts = np.bincount(places_N, minlength=int(np.prod(shape)))
    return np.minimum(counts, GREATEST_COUNT).astype(np.uint8).reshape(shape)


def frame_of(t_N: NDArray[np.int64], frames: int, by: By) -> NDArray[np.int64]:
    """The frame of each event, ascending, int64 [N]; times in microseconds, ascending."""
    if not len(t_N):
        return t_N
    match by:
        case "count":
            places_N: NDArray[np.int64] = np.arange(len(t_N), dtype=np.int64)
            return places_N * frames // len(t_N)
        case "time":
            since_N: NDArray[np.int64] = t_N - t_N[0]
            return since_N * frames // (int(since_N[-1]) + 1)
        case _:
            assert_never(by)
