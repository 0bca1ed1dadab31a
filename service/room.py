"""Whether there is room to store what searches bring: on the disks of the home and of a SQLite database, and
where checkpoints are kept.

Each is written to in earnest: a full disk still takes an empty file, and a bucket tells only when it is put
to. While there is no room no job is claimed and `/readyz` and the pages say why; once there is, all goes on.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from sqlalchemy import make_url

from models.errors import StorageError
from service.settings import Settings
from workers.places import LocalPlace, Place

PROBE = b"\0" * 8192
FRESH_SECONDS = 5.0
REMOTE_FRESH_SECONDS = 30.0
MIB = 2**20


class Room:
    """Looks, and remembers for a few seconds what it found. Threads may share it."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, StorageError | None] | None = None
        self._remote: float | None = None

    def problem(self) -> StorageError | None:
        """Why nothing can be stored, as of the last seconds; None where it can."""
        with self._lock:
            if self._found is None or self._clock() - self._found[0] > FRESH_SECONDS:
                self._found = (self._clock(), self.look())
            return self._found[1]

    def look(self) -> StorageError | None:
        """Why nothing can be stored now."""
        try:
            for name, folder in self._folders():
                _require_room(name, folder, self._settings.least_free_bytes)
            self._require_place()
        except StorageError as error:
            return error
        return None

    def _folders(self) -> Iterator[tuple[str, Path]]:
        yield "home", self._settings.home
        url = make_url(self._settings.database)
        if url.get_backend_name() == "sqlite" and url.database:
            yield "database", Path(url.database).absolute().parent
        place = self._settings.checkpoint_place
        if isinstance(place, LocalPlace):
            yield "checkpoint", next(each for each in (place.folder, *place.folder.parents) if each.exists())

    def _require_place(self) -> None:
        """A bucket is asked seldom: each time costs a round trip, and money."""
        place = self._settings.checkpoint_place
        if isinstance(place, LocalPlace):
            return
        if self._remote is None or self._clock() - self._remote > REMOTE_FRESH_SECONDS:
            _put_probe(place)
            self._remote = self._clock()


def _require_room(name: str, folder: Path, least: int) -> None:
    fix = "Free space there or set its rights (`bitfront prune` removes checkpoints); all goes on by itself."
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(PROBE)
            file.flush()  # a bare write may be a short one, without an error
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(f"the {name} folder cannot be written: {error.strerror}.", fix=fix) from error
    if free < least:
        left = f"{free / MIB:,.0f} MiB left, less than {least / MIB:,.0f}"
        raise StorageError(f"the disk of the {name} folder has {left}.", fix=fix)


def _put_probe(place: Place) -> None:
    name = f".room-{socket.gethostname()}-{os.getpid()}"
    try:
        place.write(name, PROBE)
        place.remove(name)
    except StorageError as error:  # whoever asks for /readyz need not know where that is
        structlog.get_logger("bitfront.room").warning("checkpoints have no room", error=str(error))
        raise StorageError(
            "checkpoints cannot be written where they are kept; the log of the service says why.",
            fix="See whether it is reached, and with the right credentials; all goes on by itself.",
        ) from error
