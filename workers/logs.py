"""What a worker writes down: one JSON object per line, with the ids of its job, trial, attempt and trace.

Ray keeps the output of its workers to itself, so they append to a file under the home of their machine. A
line is one write, so the lines of several workers never mix.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import structlog

FILE = "workers.log"
GREATEST_BYTES = 20 * 1024 * 1024
"""Beyond it the file becomes `workers.log.1`, in place of the one before."""


class Appender:
    """Writes rendered lines to the end of a file; a log that cannot be written never fails a training."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def msg(self, line: str) -> None:
        """One line."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._make_room()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    info = warning = error = msg

    def _make_room(self) -> None:
        if self._path.exists() and self._path.stat().st_size > GREATEST_BYTES:
            self._path.replace(self._path.with_suffix(".log.1"))


def worker_log(folder: str | None, **ids: Any) -> Any:
    """A structlog logger whose every line carries `ids`; one that says nothing where there is no folder."""
    appender = structlog.ReturnLogger() if folder is None else Appender(Path(folder))
    log = structlog.wrap_logger(
        appender,
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,
    )
    known = {name: value for name, value in ids.items() if value is not None}
    return log.bind(logger="bitfront.worker", pid=os.getpid(), **known)
