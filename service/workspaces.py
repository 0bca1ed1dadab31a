"""Workspaces as people see them: what each may use, and what it has used."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from service.views import View

QuotaName = Literal["queued_jobs", "trials_per_day", "device_hours", "stored_bytes"]
Count = Annotated[int, Field(ge=0, lt=2**31)]


class Quotas(View):
    """What a workspace may use; None is no limit.

    `queued_jobs` wait at any one time. `trials_per_day` are those planned by jobs that were submitted within
    the last 24 hours. `device_hours` is the wall time of trials that ended within the last 30 days or still
    run, times the GPUs of each, or its CPU cores where it has no GPU. `stored_bytes` is what checkpoints of
    ended trials take.
    """

    queued_jobs: Count | None = None
    trials_per_day: Count | None = None
    device_hours: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    stored_bytes: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class WorkspaceView(View):
    """A workspace and its limits."""

    id: str
    created_at: datetime
    quotas: Quotas


class QuotaUse(View):
    """One quota: its limit, if it has one, and what is used."""

    name: QuotaName
    limit: float | None
    used: float


class WorkspaceUse(View):
    """The workspace of the caller, what its key may do, and what the workspace has used."""

    id: str
    scope: str
    key_id: str | None
    quotas: list[QuotaUse]
