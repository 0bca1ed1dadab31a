"""Leases: which dispatcher may write to a job, and until when unless it renews.

Every claim raises the job's fencing token. Whatever a dispatcher writes names its claim; once another
dispatcher has claimed the job the old token no longer matches, and nothing of the late write is stored.
All times are the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, Update, select, update

from search.job import JobSpec
from service.errors import NotFoundError, StaleLeaseError
from service.store.events import EventRepository
from service.store.tables import Attempt, Job, Trial
from service.store.transaction import Repository, Transaction

HELD = ("running", "cancelling")
"""States in which a job belongs to the dispatcher with its lease."""

EndState = Literal["succeeded", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to write to a job: valid while `token` is the job's greatest."""

    job_id: str
    token: int
    spec: JobSpec
    owner: str
    lease_seconds: float
    workspace: str

    @property
    def name(self) -> str:
        """What logs call it."""
        return self.job_id


class Leases(Repository):
    """Claims, renews, releases and ends the leases of jobs."""

    def __init__(self, transaction: Transaction, events: EventRepository) -> None:
        super().__init__(transaction)
        self._events = events

    def claim(self, owner: str, lease_seconds: float) -> Claim | None:
        """Take a job whose lease ran out, or else the oldest queued one; None where there is neither."""
        session = self._transaction.write()
        now = self._transaction.now()
        job = session.scalar(_abandoned(now)) or session.scalar(_oldest_queued())
        if job is None:
            return None
        self._abandon_attempts(job, "another dispatcher took the job over")
        job.lease_owner, job.lease_token = owner, job.lease_token + 1
        job.lease_expires_at = now + timedelta(seconds=lease_seconds)
        if job.state == "queued":
            job.started_at = job.started_at or now
            self._enter(job, "running", now)
        session.flush()
        spec = JobSpec.model_validate(job.spec)
        return Claim(
            job_id=job.id,
            token=job.lease_token,
            spec=spec,
            owner=owner,
            lease_seconds=lease_seconds,
            workspace=job.workspace_id,
        )

    def renew(self, claim: Claim) -> None:
        """Extend a lease by its length from now. Raises StaleLeaseError."""
        job = self.hold(claim)
        job.lease_expires_at = self._transaction.now() + timedelta(seconds=claim.lease_seconds)
        self._session.flush()

    def release(self, claim: Claim) -> None:
        """Give a job back unfinished, to be claimed again at once. Raises StaleLeaseError."""
        job = self.hold(claim)
        now = self._transaction.now()
        job.lease_expires_at = now
        self._abandon_attempts(job, "the dispatcher stopped")
        job.lease_owner = None
        if job.state == "running":
            self._enter(job, "queued", now)
        self._session.flush()

    def finish(self, claim: Claim, state: EndState, error: str | None = None) -> None:
        """End a job; trials that have not ended are pruned. Raises StaleLeaseError.

        A job whose cancelling was asked for ends as cancelled, whatever it reached in the meantime.
        """
        job = self.hold(claim)
        self._end(job, "cancelled" if job.state == "cancelling" else state, error)

    def cancel_requested(self, claim: Claim) -> bool:
        """Whether somebody has asked for the claimed job to end. Raises StaleLeaseError."""
        query = select(Job.state, Job.lease_token).where(Job.id == claim.job_id)
        state, token = self._session.execute(query).one()
        if token != claim.token or state not in HELD:
            raise _stale(claim)
        return bool(state == "cancelling")

    def hold(self, claim: Claim) -> Job:
        """Lock the job of a claim for this transaction. Raises StaleLeaseError where the claim is stale."""
        job = self._locked(claim.job_id)
        if job.lease_token != claim.token or job.state not in HELD:
            raise _stale(claim)
        return job

    def _locked(self, job_id: str) -> Job:
        query = select(Job).where(Job.id == job_id).with_for_update()
        job = self._transaction.write().scalar(query.execution_options(populate_existing=True))
        if job is None:
            raise NotFoundError(f"there is no job {job_id!r}.")
        return job

    def _end(self, job: Job, state: EndState, error: str | None) -> None:
        self._end_all([job], state, error)

    def _end_all(self, jobs: Sequence[Job], state: EndState, error: str | None) -> None:
        now = self._transaction.now()
        job_ids = [job.id for job in jobs]
        self._session.execute(_end_attempts(job_ids, f"job {state}", now))
        self._session.execute(_prune(job_ids, f"job {state}", now))
        for job in jobs:
            job.lease_owner, job.lease_expires_at, job.finished_at = None, None, now
            job.error = error if state == "failed" else None
        self._enter_all(jobs, state, now)

    def _enter(self, job: Job, state: str, moment: datetime) -> None:
        self._enter_all([job], state, moment)

    def _enter_all(self, jobs: Sequence[Job], state: str, moment: datetime) -> None:
        for job in jobs:
            job.state = state
        told = {job.id: {"state": state, "error": job.error} for job in jobs}
        self._events.append_all("job_state", told, moment)

    def _abandon_attempts(self, job: Job, message: str) -> None:
        """Attempts under the lease are lost, at the latest when it ran out; their trials wait again."""
        if job.lease_expires_at is not None:
            self._session.execute(_end_attempts([job.id], message, job.lease_expires_at))
        self._session.execute(
            update(Trial).where(Trial.job_id == job.id, Trial.state == "running").values(state="queued")
        )


def _stale(claim: Claim) -> StaleLeaseError:
    return StaleLeaseError(f"the lease on {claim.job_id} with token {claim.token} is no longer valid.")


def _abandoned(now: datetime) -> Select[Job]:
    """The oldest job whose dispatcher no longer renews its lease."""
    return (
        select(Job)
        .where(Job.state.in_(HELD), Job.lease_expires_at <= now)
        .order_by(Job.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _oldest_queued() -> Select[Job]:
    return (
        select(Job).where(Job.state == "queued").order_by(Job.seq).limit(1).with_for_update(skip_locked=True)
    )


def _end_attempts(job_ids: Sequence[str], message: str, moment: datetime) -> Update:
    trials = select(Trial.id).where(Trial.job_id.in_(job_ids), Trial.state == "running")
    return (
        update(Attempt)
        .where(Attempt.trial_id.in_(trials), Attempt.state == "running")
        .values(state="lost", message=message, ended_at=moment)
        .execution_options(synchronize_session=False)
    )


def _prune(job_ids: Sequence[str], message: str, moment: datetime) -> Update:
    return (
        update(Trial)
        .where(Trial.job_id.in_(job_ids), Trial.state.in_(("queued", "running")))
        .values(state="pruned", message=message, finished_at=moment)
        .execution_options(synchronize_session=False)
    )
