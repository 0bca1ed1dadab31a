"""A folder of this machine, or one that it has mounted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import StorageError

UNFINISHED = "."
"""What the name of a file begins with that is being written, or that was when its writer died."""


class LocalPlace:
    """Implements `Place`. A write is flushed to the disk and renamed into place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def url(self) -> str:
        """Its path."""
        return str(self.folder)

    def child(self, name: str) -> LocalPlace:
        """The folder of that name in it."""
        return LocalPlace(self.folder / name)

    def path(self, name: str) -> Path:
        """Where a file of it is."""
        return self.folder / name

    def names(self) -> list[str]:
        """The files in it."""
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int]:
        """The bytes of each."""
        with self._reached("read"):
            return {entry.name: entry.stat().st_size for entry in self._files() if _finished(entry.name)}

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with self._reached("read"):
            return self.path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write to a neighbour, flush it to disk, rename it into place and flush the folder."""
        with self._reached("written"):
            write_atomically(self.path(name), content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._reached("written"):
            self.path(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the folder with all that is in it."""
        with self._reached("written"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                yield from (entry for entry in entries if entry.is_file())
        except (FileNotFoundError, NotADirectoryError):
            return

    @contextmanager
    def _reached(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if done == "read" and isinstance(error, (FileNotFoundError, NotADirectoryError)):
                raise FileNotFoundError(f"there is no such file in {self.folder}") from None
            reason = error.strerror or type(error).__name__
            raise StorageError(
                f"checkpoints cannot be {done} in {self.folder}: {reason}.",
                fix="Free space on its disk, or set its rights; searches go on by themselves.",
            ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a neighbour, flush it to disk, rename it into place and flush the folder.

    What fails leaves no neighbour behind: on a full disk it would keep the room that others need.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two attempts of one trial may overlap for a moment; each writes its own neighbour.
    neighbour = path.with_name(f"{UNFINISHED}{path.name}.{os.getpid()}.tmp")
    try:
        with neighbour.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except BaseException:
        neighbour.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _finished(name: str) -> bool:
    return not name.startswith(UNFINISHED) or not name.endswith(".tmp")


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
