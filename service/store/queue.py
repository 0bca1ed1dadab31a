"""The queue as a whole: who works on it, what each workspace has in it, and what is counted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, select

from service.queue.line import Share
from service.store.claims import HELD
from service.store.tables import Dispatcher, Job, Trial, Workspace
from service.store.transaction import Repository
from service.views import ENDED_TRIAL_STATES

FORGOTTEN_AFTER = timedelta(days=1)
"""A dispatcher that was killed cannot take its row away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """What a dispatcher tells of itself; `ray_age` is how long ago its Ray told what it knows of it."""

    id: str
    host: str
    pid: int
    lease_seconds: float
    ray: Mapping[str, Any] | None = None
    ray_age: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSeconds:
    """The ended trainings of one state: how many within each of some bounds, how many, how long in all."""

    within: Sequence[int]
    count: int
    total: float


class QueueRepository(Repository):
    """Over all workspaces in a unit that is bound to none."""

    def beat(self, presence: Presence) -> None:
        """Note that a dispatcher lives."""
        session, now = self._transaction.write(), self._transaction.now()
        row = session.get(Dispatcher, presence.id)
        if row is None:
            row = Dispatcher(id=presence.id, host=presence.host, pid=presence.pid, started_at=now)
            session.add(row)
        row.seen_at, row.lease_seconds = now, presence.lease_seconds
        if presence.ray is not None:
            row.ray, row.ray_seen_at = dict(presence.ray), now - timedelta(seconds=presence.ray_age)
        session.flush()
        session.execute(delete(Dispatcher).where(Dispatcher.seen_at < now - FORGOTTEN_AFTER))

    def leave(self, dispatcher: str) -> None:
        """Note that a dispatcher has ended."""
        self._transaction.write().execute(delete(Dispatcher).where(Dispatcher.id == dispatcher))

    def now(self) -> datetime:
        """The time that ages are counted to."""
        return self._transaction.now()

    def dispatchers(self) -> list[Dispatcher]:
        """All that have told of themselves, by age."""
        return list(self._session.scalars(select(Dispatcher).order_by(Dispatcher.started_at, Dispatcher.id)))

    def shares(self) -> list[Share]:
        """What each workspace has in the queue."""
        counted = func.count().label("jobs")
        rows = self._session.execute(
            select(Job.workspace_id, Job.state, counted)
            .where(Job.state.in_(("queued", *HELD)))
            .group_by(Job.workspace_id, Job.state)
        ).all()
        names = {row.workspace_id for row in rows}
        claimed = select(Workspace.id, Workspace.last_claimed_at).where(Workspace.id.in_(names))
        return [
            Share(
                workspace=name,
                waiting=sum(row.jobs for row in rows if row.workspace_id == name and row.state == "queued"),
                running=sum(row.jobs for row in rows if row.workspace_id == name and row.state != "queued"),
                last_claimed_at=last,
            )
            for name, last in self._session.execute(claimed)
        ]

    def holders(self) -> set[str]:
        """The dispatchers that hold a job."""
        query = select(Job.lease_owner).where(Job.state.in_(HELD), Job.lease_owner.is_not(None))
        return {owner for owner in self._session.scalars(query) if owner is not None}

    def waiting(self, limit: int) -> list[Job]:
        """Queued jobs of a workspace, in the order of their claims."""
        query = select(Job).where(Job.state == "queued").order_by(Job.priority.desc(), Job.seq)
        return list(self._session.scalars(query.limit(limit)))

    def held(self) -> list[tuple[Job, int]]:
        """Jobs under a lease, oldest first, with how many of their trials run."""
        running = (
            select(func.count()).where(Trial.job_id == Job.id, Trial.state == "running").scalar_subquery()
        )
        rows = self._session.execute(select(Job, running).where(Job.state.in_(HELD)).order_by(Job.seq))
        return [(job, number) for job, number in rows]

    def oldest_queued_seconds(self) -> float:
        """How long the job that was submitted first has waited; 0 where none waits."""
        oldest = select(Job.created_at).where(Job.state == "queued").order_by(Job.seq).limit(1)
        since = self._session.scalar(oldest)
        return 0.0 if since is None else max((self._transaction.now() - since).total_seconds(), 0.0)

    def trial_seconds(self, bounds: Sequence[float]) -> dict[str, TrialSeconds]:
        """By state, the wall seconds of trials that were trained and have ended; over an index alone."""
        within = [func.sum(case((Trial.seconds <= bound, 1), else_=0)) for bound in bounds]
        rows = self._session.execute(
            select(Trial.state, func.count(), func.sum(Trial.seconds), *within)
            .where(Trial.state.in_(ENDED_TRIAL_STATES), Trial.seconds > 0)
            .group_by(Trial.state)
        )
        return {
            state: TrialSeconds(within=counts, count=count, total=total)
            for state, count, total, *counts in rows
        }
