"""What `GET /v1/queue` answers. Jobs of other workspaces are counted, never named."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from service.views import JobState, View

WaitingReason = Literal["no_dispatcher", "no_ray", "no_nodes", "no_room", "next", "busy", "behind"]


class RayView(View):
    """What a dispatcher knows of its Ray: machines, and CPUs and GPUs that trials may use and do use."""

    nodes: int
    cpus: float
    cpus_used: float
    gpus: float
    gpus_used: float


class DispatcherView(View):
    """A process that runs jobs, one at a time; `alive` while it was heard from within its lease.

    `job_id` is its job where that is the caller's to see; `busy` says so of any job.
    """

    id: str
    host: str
    started_at: datetime
    seen_at: datetime
    seconds_since_seen: float
    alive: bool
    busy: bool
    job_id: str | None
    ray: RayView | None  # None before its Ray has answered
    ray_answers: bool


class RunningJobView(View):
    """A job under a lease. `lease_age_seconds` counts from the last renewal; None where that is not known."""

    id: str
    name: str
    state: JobState
    priority: int
    dispatcher: str | None
    token: int
    lease_age_seconds: float | None
    lease_seconds_left: float  # below 0 once it has run out: another dispatcher takes the job over
    started_at: datetime
    trials_running: int


class QueuedJobView(View):
    """A job that waits: its place among those of all workspaces, and what it waits for."""

    id: str
    name: str
    priority: int
    created_at: datetime
    place: int
    reason: WaitingReason
    why: str


class QueueView(View):
    """The queue of a workspace; `queued` has the first of `queued_jobs`, in the order of their claims."""

    read_at: datetime
    queued_jobs: int
    queued_jobs_elsewhere: int  # in other workspaces
    running_jobs_elsewhere: int
    queued: list[QueuedJobView]
    running: list[RunningJobView]
    dispatchers: list[DispatcherView]
