"""Frames that were made once, kept in `.npy` files that are memory-mapped when read.

A file is named after its data set, its settings and the stamp of what it was made from, so it never goes
stale; it may be deleted at any time. It is written beside its place, as frames are made, and moved there when
it is whole: readers never see half of it. Of several processes that want the same file, one makes it while
the others wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from filelock import FileLock
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.errors import DataMissingError
from workers.data.events.recording import damaged

Build = Callable[[], Iterator[NDArray[np.uint8]]]
"""Gives the frames of all samples in order, some samples [n, F, C, H, W] at a time."""
FOLDER = "cache"


def cache_folder(data_folder: Path) -> Path:
    """`cache` in the data folder, or the user's cache folder where the data folder cannot be written."""
    folder = data_folder / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return platformdirs.user_cache_path("bitfront", appauthor=False)
    return folder if os.access(folder, os.W_OK) else platformdirs.user_cache_path("bitfront", appauthor=False)


def cached(path: Path, shape: tuple[int, ...], build: Build) -> NDArray[np.uint8]:
    """The frames [N, F, C, H, W] in that file, memory-mapped, read-only; made first where they are not there.

    Raises what `build` raises, and DataMissingError where the file cannot be written.
    """
    found = _opened(path, shape)
    if found is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if _opened(path, shape) is None:
                _make(path, shape, build)
    except OSError as error:
        raise DataMissingError(
            f"the frames cannot be kept in {path}: {error}.",
            fix=f"Make room for {int(np.prod(shape)) / 2**30:.2f} GiB there, or let it be written.",
            pointer="/dataset/name",
        ) from error
    made = _opened(path, shape)
    if made is None:
        raise damaged(path, "it was changed while it was made")
    return made


def _opened(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """None where the file is missing or not what it should be: then it is made again."""
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _make(path: Path, shape: tuple[int, ...], build: Build) -> None:
    """Written with ordinary writes: a full disk is an error then; a memory map would end the process."""
    part = path.with_suffix(".part")  # alone: the caller holds the lock; one left by a killed process goes
    with part.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for chunk in build():
            file.write(np.ascontiguousarray(chunk).data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
