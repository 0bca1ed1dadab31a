"""What is known of a published set without reading its events: the count and the stamp of its recordings."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workers.data.events.layout import Layout
from workers.data.events.recording import Recording
from workers.data.splits import split_sizes

VERSION = 1
"""Of the readers and the binning: a new one makes all cached frames anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the files of a set say without their events."""

    train_samples: int
    stamp: str


Signature = tuple[tuple[str, int], ...]


def known_of(layout: Layout, folder: Path) -> Known:
    """What can be said now. Raises DataMissingError, DataDamagedError or OSError."""
    return _known(layout, folder, _signature(folder))


@lru_cache(maxsize=32)  # listing tens of thousands of files takes a second, and pages ask again and again
def _known(layout: Layout, folder: Path, signature: Signature) -> Known:
    listing = layout.listing(folder)
    return Known(
        train_samples=split_sizes(len(listing.train), own_test=listing.test is not None).train,
        stamp=stamp_of((*listing.train, *(listing.test or ()))),
    )


def _signature(folder: Path) -> Signature:
    """Names and times of all folders and of the files at the top.

    It changes when a file is added, removed or replaced. One that is overwritten in its place deeper down is
    only noticed by `load`, or by the next process: its frames are never stale.
    """
    at_top = sorted(folder.iterdir()) if folder.is_dir() else []
    below = (Path(parent) for top in at_top if top.is_dir() for parent, _, _ in os.walk(top))
    return tuple(
        (str(path), path.stat().st_mtime_ns) for path in (folder, *at_top, *sorted(below)) if path.exists()
    )


def stamp_of(recordings: Sequence[Recording]) -> str:
    """Changes whenever a file is added, removed, renamed or written; and with VERSION."""
    digest = hashlib.sha256(f"version {VERSION}".encode())
    for path in dict.fromkeys(recording.path for recording in recordings):
        stat = path.stat()
        digest.update(f"{path.parent.name}/{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
