"""What the readers of published event data sets have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.data.events.binning import By
from workers.data.events.recording import Events, Listing, Recording, Sensor, damaged


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A published data set: where its recordings lie under its folder, and how they are read.

    `listing` raises DataMissingError or DataDamagedError; `read` gives the events of each recording in turn
    and raises DataDamagedError. `size` is the side to which a map is reduced when the job names none, 0 where
    there is no map. `by` says how the field bins this set.
    """

    name: str
    summary: str
    classes: int
    sensor: Sensor
    size: int
    by: By
    listing: Callable[[Path], Listing]
    read: Callable[[Sequence[Recording]], Iterator[Events]]


def each(read: Callable[[Path], Events]) -> Callable[[Sequence[Recording]], Iterator[Events]]:
    """For sets whose recordings are files of their own."""
    return lambda recordings: (_read(recording.path, read) for recording in recordings)


def _read(path: Path, read: Callable[[Path], Events]) -> Events:
    try:
        return read(path)
    except OSError as error:
        raise damaged(path, f"it cannot be read ({error})") from error
