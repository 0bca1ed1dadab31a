"""What workers wrote down about a trial (workers.logs), as far as it lies on this machine."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.views import View
from workers.logs import FILE

MOST_LINES = 500
LONGEST_LINE = 64 * 1024
SHOWN_APART = ("timestamp", "level", "event", "attempt", "logger", "job", "trial")


class WorkerLineView(View):
    """A line of the log; `details` has what else it says, such as `epoch`, `seconds` or `exception`."""

    timestamp: datetime
    level: str
    event: str
    attempt: int | None = None
    details: dict[str, Any]


def worker_lines(folder: Path, trial_id: str) -> list[WorkerLineView]:
    """The newest MOST_LINES lines about a trial, oldest first; none where its worker ran elsewhere."""
    views = (_view(line, trial_id) for line in _lines_about(folder, trial_id))
    return list(deque((view for view in views if view is not None), maxlen=MOST_LINES))


def _lines_about(folder: Path, trial_id: str) -> Iterator[bytes]:
    for path in (folder / f"{FILE}.1", folder / FILE):
        try:
            with path.open("rb") as file:
                yield from (line for line in file if trial_id.encode() in line and len(line) < LONGEST_LINE)
        except OSError:
            continue  # no worker has written here, or the file was put aside just now


def _view(line: bytes, trial_id: str) -> WorkerLineView | None:
    """None for what is not whole, or says the id of the trial only in passing."""
    try:
        said = json.loads(line)
        if said["trial"] != trial_id:
            return None
        details = {name: value for name, value in said.items() if name not in SHOWN_APART}
        head = {name: said.get(name) for name in ("timestamp", "level", "event", "attempt")}
        return WorkerLineView.model_validate({**head, "details": details})
    except (ValueError, TypeError, KeyError, ValidationError):
        return None
