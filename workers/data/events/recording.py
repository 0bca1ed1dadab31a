"""The values of the event readers: a sensor, the events of one recording, and where recordings lie.

An event is (t, channel, y, x): a pixel of a camera saw a change at time t. Channel 0 is OFF (darker), 1 is ON
(brighter). A sensor without a map, such as an artificial cochlea, has many channels of one pixel each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataDamagedError, DataMissingError

MOST_EVENTS = 100_000_000
"""Of one recording: the longest published ones have a few million."""
LATEST = 2**53
"""Microseconds; later times would overflow when they are multiplied by the number of frames."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """How many channels, rows and columns a sensor has."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Events:
    """The events of one recording in the order of their times, each array of int64 [N]."""

    t_N: NDArray[np.int64]  # noqa: N815 - microseconds; the letter is the axis
    channel_N: NDArray[np.int64]  # noqa: N815 - the letter is the axis
    y_N: NDArray[np.int64]  # noqa: N815 - the letter is the axis
    x_N: NDArray[np.int64]  # noqa: N815 - the letter is the axis


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """One labelled recording: its file, and its place in it where a file holds many."""

    path: Path
    label: int
    place: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """All recordings in a fixed order; `test` is None where the publisher names no test set."""

    train: tuple[Recording, ...]
    test: tuple[Recording, ...] | None


def checked_events(
    path: Path, sensor: Sensor, *, t: NDArray[Any], channel: NDArray[Any], y: NDArray[Any], x: NDArray[Any]
) -> Events:
    """The events, sorted by time where some go backwards (cameras hand them out a little out of order).

    Raises DataDamagedError where arrays differ in length, a time is negative or absurd, or a place is not one
    of the sensor's.
    """
    if not len(t) == len(channel) == len(y) == len(x):
        raise damaged(path, f"it holds {len(t)} times for {len(channel)} places")
    _check_range(path, "time", t, LATEST)
    for what, values, bound in (
        ("channel", channel, sensor.channels),
        ("row", y, sensor.height),
        ("column", x, sensor.width),
    ):
        _check_range(path, what, values, bound)
    t_N, channel_N, y_N, x_N = (part.astype(np.int64) for part in (t, channel, y, x))
    if (t_N[1:] >= t_N[:-1]).all():
        return Events(t_N=t_N, channel_N=channel_N, y_N=y_N, x_N=x_N)
    order = np.argsort(t_N, kind="stable")
    return Events(t_N=t_N[order], channel_N=channel_N[order], y_N=y_N[order], x_N=x_N[order])


def _check_range(path: Path, what: str, values: NDArray[Any], bound: int) -> None:
    if len(values) and not (values.min() >= 0 and values.max() < bound):  # NaN fails this, too
        raise damaged(
            path, f"the {what} of an event is {values.min()} to {values.max()}; use 0 to {bound - 1}"
        )


def check_count(path: Path, events: int) -> None:
    """Before anything is allocated. Raises DataDamagedError."""
    if events > MOST_EVENTS:
        raise damaged(path, f"it holds {events} events; at most {MOST_EVENTS} are read")


def listed(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files of a folder with such a suffix, by name. Raises DataMissingError where there are none."""
    found = sorted(path for path in folder.glob("*") if path.suffix in suffixes) if folder.is_dir() else []
    if not found:
        raise missing(folder, f"no {' or '.join(suffixes)} files are in {folder}")
    return found


def missing(folder: Path, what: str) -> DataMissingError:
    """The error for files that are not where they should be."""
    return DataMissingError(
        f"{what}.",
        fix=f"Put the published files there; docs/event-data.md shows the layout of {folder}.",
        pointer="/dataset/name",
    )


def damaged(path: Path, what: str) -> DataDamagedError:
    """The error for a file that is truncated, altered or of another format."""
    return DataDamagedError(
        f"{path} is damaged: {what}.", fix="Fetch the file again.", pointer="/dataset/name"
    )
