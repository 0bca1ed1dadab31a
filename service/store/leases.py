"""Leases: which dispatcher may write to a job, and until when unless it renews.

Every claim raises the job's fencing token. Whatever a dispatcher writes names its claim; once another
dispatcher has claimed the job the old token no longer matches, and nothing of the late write is stored.
All times are the database's. Which queued job is claimed next is decided in `claims`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Update, select, update

from search.job import JobSpec
from service.errors import NotFoundError, StaleLeaseError
from service.store.claims import HELD, abandoned, anything, next_queued, take_turns
from service.store.events import EventRepository
from service.store.incidents import lease_expired
from service.store.tables import Attempt, Job, Trial, Workspace
from service.store.transaction import Repository, Transaction

MOST_FRUITLESS = 5
"""Claims of a job without progress in between after which it is given up."""
LOST = "dispatcher_lost"
"""The reason of a job that was given up so."""

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
    trace_id: str | None = None

    @property
    def name(self) -> str:
        """What logs call it."""
        return self.job_id


class Leases(Repository):
    """Claims, renews, releases and ends the leases of jobs."""

    def __init__(self, transaction: Transaction, events: EventRepository) -> None:
        super().__init__(transaction)
        self._events = events

    def claim(
        self, owner: str, lease_seconds: float, *, most_fruitless: int = MOST_FRUITLESS
    ) -> Claim | None:
        """Take a job whose lease ran out, or else the next queued one; None where there is neither.

        A job that was claimed `most_fruitless` times without progress, each time until its lease ran out,
        fails instead: it would end its next dispatcher too.
        """
        if not self._session.scalar(anything(self._transaction.now())):
            return None
        take_turns(self._transaction)
        now = self._transaction.now()
        job = self._taken_over(now, most_fruitless) or self._from_the_queue(now)
        if job is None:
            return None
        job.lease_owner, job.lease_token = owner, job.lease_token + 1
        job.lease_expires_at = now + timedelta(seconds=lease_seconds)
        job.fruitless_claims += 1
        self._session.flush()
        return Claim(
            job_id=job.id,
            token=job.lease_token,
            spec=JobSpec.model_validate(job.spec),
            owner=owner,
            lease_seconds=lease_seconds,
            workspace=job.workspace_id,
            trace_id=job.trace_id,
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
        job.fruitless_claims = max(job.fruitless_claims - 1, 0)  # it ended in order: no word against the job
        if job.state == "running":
            job.lease_expires_at = None
            self._enter(job, "queued", now)
        self._session.flush()

    def finish(self, claim: Claim, state: EndState, error: str | None = None) -> None:
        """End a job; trials that have not ended are pruned. Raises StaleLeaseError.

        A job whose cancelling was asked for ends as cancelled, whatever it reached in the meantime.
        """
        job = self.hold(claim)
        self._end(job, "cancelled" if job.state == "cancelling" else state, error)

    def progressed(self, claim: Claim) -> None:
        """The claim was not in vain: a new epoch or the end of a trial. The caller holds the job."""
        fruitless = update(Job).where(Job.id == claim.job_id, Job.fruitless_claims != 0)
        self._session.execute(fruitless.values(fruitless_claims=0))

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

    def _taken_over(self, now: datetime, most_fruitless: int) -> Job | None:
        """A job whose lease ran out, if any; those that end dispatchers are ended on the way."""
        while (job := self._session.scalar(abandoned(now))) is not None:
            self._abandon_attempts(job, "another dispatcher took the job over")
            if job.lease_owner is None:  # it was given back while it was being cancelled
                return job
            self._session.add(lease_expired(job, now))
            if job.fruitless_claims < most_fruitless:
                return job
            self._give_up(job)
        return None

    def _give_up(self, job: Job) -> None:
        message = (
            f"Its dispatcher ended {job.fruitless_claims} times while it ran this job, without a new epoch "
            "in between; the job may need more memory than there is. Points found so far are kept."
        )
        if job.state == "running":
            job.reason = LOST
        self._end(job, "cancelled" if job.state == "cancelling" else "failed", message)

    def _from_the_queue(self, now: datetime) -> Job | None:
        job = self._session.scalar(next_queued())
        if job is not None:
            turn = update(Workspace).where(Workspace.id == job.workspace_id)
            self._session.execute(turn.values(last_claimed_at=now))
            job.started_at = job.started_at or now
            self._enter(job, "running", now)
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
