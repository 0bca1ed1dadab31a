"""Reads the queue for one workspace: the line is that of all, the names are its own."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.errors import StorageError
from service.queue.line import places
from service.queue.views import (
    DispatcherView,
    QueuedJobView,
    QueueView,
    RayView,
    RunningJobView,
    WaitingReason,
)
from service.store import Store
from service.store.tables import Dispatcher, Job

SHOWN = 100
"""Queued jobs that are listed."""


def read_queue(everything: Store, own: Store, workspace: str, room: StorageError | None = None) -> QueueView:
    """The queue as `workspace` may see it; `everything` is a store bound to none, `own` one bound to it.

    `room` says why nothing can be stored, where that is so.
    """
    with everything.unit() as unit:
        now, shares = unit.queue.now(), unit.queue.shares()
        rows, busy = unit.queue.dispatchers(), unit.queue.holders()
    with own.unit() as unit:
        waiting, held = unit.queue.waiting(SHOWN), unit.queue.held()
    jobs = {job.lease_owner: job.id for job, _ in held if job.lease_owner is not None}
    dispatchers = [_dispatcher(row, now, busy, jobs) for row in rows]
    leases = {row.id: row.lease_seconds for row in rows}
    line = places(shares, workspace, len(waiting))
    mine = [share for share in shares if share.workspace == workspace]
    return QueueView(
        read_at=now,
        queued_jobs=sum(share.waiting for share in mine),
        queued_jobs_elsewhere=sum(share.waiting for share in shares if share not in mine),
        running_jobs_elsewhere=sum(share.running for share in shares if share not in mine),
        queued=[_queued(job, place, dispatchers, room) for job, place in zip(waiting, line, strict=False)],
        running=[_running(job, trials, now, leases.get(job.lease_owner or "")) for job, trials in held],
        dispatchers=dispatchers,
    )


def _dispatcher(row: Dispatcher, now: datetime, busy: set[str], jobs: dict[str, str]) -> DispatcherView:
    lease = timedelta(seconds=row.lease_seconds)
    return DispatcherView(
        id=row.id,
        host=row.host,
        started_at=row.started_at,
        seen_at=row.seen_at,
        seconds_since_seen=max((now - row.seen_at).total_seconds(), 0.0),
        alive=now - row.seen_at <= lease,
        busy=row.id in busy,
        job_id=jobs.get(row.id),
        ray=None if row.ray is None else RayView.model_validate(row.ray),
        ray_answers=row.ray_seen_at is not None and row.seen_at - row.ray_seen_at <= lease,
    )


def _running(job: Job, trials: int, now: datetime, lease_seconds: float | None) -> RunningJobView:
    left = 0.0 if job.lease_expires_at is None else (job.lease_expires_at - now).total_seconds()
    return RunningJobView.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "priority": job.priority,
            "dispatcher": job.lease_owner,
            "token": job.lease_token,
            "lease_age_seconds": None if lease_seconds is None else max(lease_seconds - left, 0.0),
            "lease_seconds_left": left,
            "started_at": job.started_at,
            "trials_running": trials,
        }
    )


def _queued(
    job: Job, place: int, dispatchers: list[DispatcherView], room: StorageError | None
) -> QueuedJobView:
    reason, why = waiting_for(place, dispatchers, room)
    return QueuedJobView(
        id=job.id,
        name=job.name,
        priority=job.priority,
        created_at=job.created_at,
        place=place,
        reason=reason,
        why=why,
    )


def waiting_for(
    place: int, dispatchers: list[DispatcherView], room: StorageError | None = None
) -> tuple[WaitingReason, str]:
    """What the job at a place in line waits for: a word for programs, and a sentence."""
    if room is not None:
        return "no_room", f"There is no room for what it would store: {room.message}"
    working = [one for one in dispatchers if one.alive and one.ray_answers]
    if not any(one.ray.cpus for one in working if one.ray is not None):
        return _what_is_missing(dispatchers)
    free = sum(not one.busy for one in working)
    if place <= free:
        return "next", "A dispatcher is free and takes it within a second."
    if place - free == 1:
        return "busy", f"It is next; all dispatchers have a job ({len(working)} of {len(working)})."
    return "behind", f"{place - 1} {'job is' if place == 2 else 'jobs are'} claimed before it."


def _what_is_missing(dispatchers: list[DispatcherView]) -> tuple[WaitingReason, str]:
    """What nothing can be trained without, where no dispatcher could train anything."""
    alive = [one for one in dispatchers if one.alive]
    if not alive:
        return "no_dispatcher", "No dispatcher is running. Start one: bitfront serve, or bitfront dispatcher."
    if not any(one.ray_answers for one in alive):
        return "no_ray", "No dispatcher reaches its Ray."
    return "no_nodes", "Ray has no node that runs trials. Join one: ray start --address=HOST:PORT."
