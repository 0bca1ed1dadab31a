"""A rerun as people see it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from service.views import View

RerunState = Literal["queued", "running", "succeeded", "failed"]
ENDED_RERUN_STATES: frozenset[RerunState] = frozenset({"succeeded", "failed"})


class RerunMeasure(View):
    """One measure of the point: as it was stored, and again; None where the allocation is another one."""

    name: str
    stored: float | None
    again: float | None


class RerunView(View):
    """A point that is trained again.

    `same` says, once it has succeeded, whether the bits of every layer and every measure came out exactly as
    they were stored; `same_weights` whether the checkpoint did, byte for byte.
    """

    id: str
    point_id: str
    state: RerunState
    same: bool | None
    same_weights: bool | None
    measures: list[RerunMeasure]
    epochs_done: int
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
