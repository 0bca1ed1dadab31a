"""What the readers of files share: looking for them, telling versions apart, and saying what is damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from models.errors import DataDamagedError, DataMissingError

POINTER = "/dataset/name"


def damaged(path: Path, what: str, *, fix: str = "Fetch the file again.") -> DataDamagedError:
    """The error for a file that is there but cannot be used."""
    return DataDamagedError(f"{path} is damaged: {what}.", fix=fix, pointer=POINTER)


def missing(name: str, what: str, folders: Sequence[Path], *, fix: str) -> DataMissingError:
    """The error for files of the data set `name` that are in none of the folders."""
    places = " nor in ".join(str(folder) for folder in folders)
    return DataMissingError(f"{what} of {name} are not in {places}.", fix=fix, pointer=POINTER)


def stamp(paths: Iterable[Path]) -> str:
    """What changes whenever one of the files does: a hash of their names, sizes and times."""
    digest = hashlib.sha256()
    for path in paths:
        stat = path.stat()
        digest.update(f"{path.name}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
