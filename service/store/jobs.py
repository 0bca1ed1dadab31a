"""Submit, look up, list and cancel jobs; their leases are in `leases`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from search.job import JobSpec
from service.errors import ConflictError
from service.store import cursors, ids
from service.store.beside import Beside, add_labels, beside, change_labels, chosen
from service.store.events import EventRepository
from service.store.leases import Leases
from service.store.progress import (
    StudyProgress,
    best_of,
    best_points,
    seconds_left,
    study_progress,
    study_views,
    trials_ended,
)
from service.store.quotas import QuotaRepository
from service.store.tables import Job
from service.store.transaction import Transaction
from service.views import JobView, Page

LISTING = "jobs"
GOING = ("queued", "running")
"""States of jobs that cancelling changes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """A checked job and what is stored with it."""

    spec: JobSpec
    trials_planned: int
    plan: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0


class JobRepository(Leases):
    """Jobs as people see them, and their leases."""

    def __init__(self, transaction: Transaction, events: EventRepository, quotas: QuotaRepository) -> None:
        super().__init__(transaction, events)
        self._quotas = quotas

    def submit(
        self,
        spec: JobSpec,
        *,
        trials_planned: int,
        plan: Mapping[str, Any],
        idempotency_key: str | None,
        labels: Mapping[str, str] | None = None,
        priority: int = 0,
    ) -> tuple[JobView, bool]:
        """Store a job in state queued; (job, True), or (the earlier job, False) for a key used before.

        Raises ConflictError when the key came with another spec (labels and priority are not looked at), and
        QuotaExceededError.
        """
        self._transaction.write()
        earlier = self._by_key(Job, idempotency_key)
        if earlier is None:
            self._quotas.require_room(trials=trials_planned)
            new = NewJob(
                spec=spec, trials_planned=trials_planned, plan=plan, labels=labels or {}, priority=priority
            )
            job = self._new(new, idempotency_key, self._transaction.now())
            earlier = self._insert(job, idempotency_key)
        if earlier is None:
            self._events.append(job.id, "job_state", {"state": "queued", "error": None}, job.created_at)
            add_labels(self._session, job.id, new.labels)
            view = _view(job, spec, [], Beside(labels=new.labels))
            return view.model_copy(update={"best": best_of(spec, [])}), True
        if earlier.spec_digest != spec.digest():
            raise ConflictError(
                "this idempotency key was used for another job.", fix="Send a new key with a new job."
            )
        return self.get(earlier.id), False

    def submit_all(self, jobs: Sequence[NewJob]) -> list[str]:
        """Store many jobs at once, in order; their ids. Raises QuotaExceededError, storing none."""
        self._transaction.write()
        self._quotas.require_room(jobs=len(jobs), trials=sum(new.trials_planned for new in jobs))
        now = self._transaction.now()
        rows = [self._new(new, None, now) for new in jobs]
        self._session.add_all(rows)
        self._session.flush()
        queued = {"state": "queued", "error": None}
        self._events.append_all("job_state", {row.id: queued for row in rows}, now)
        for row, new in zip(rows, jobs, strict=True):
            add_labels(self._session, row.id, new.labels)
        self._session.flush()
        return [row.id for row in rows]

    def get(self, job_id: str) -> JobView:
        """A job with its studies and best points. Raises NotFoundError."""
        job = self._require_job(job_id)
        spec = JobSpec.model_validate(job.spec)
        studies = study_progress(self._session, [job_id])[job_id]
        found = best_points(self._session, job_id, spec)
        seen = {"studies": study_views(spec, studies, found), "best": best_of(spec, found)}
        return _view(job, spec, studies, beside(self._session, [job_id])[job_id]).model_copy(update=seen)

    def state_of(self, job_id: str) -> str:
        """The state of a job alone, which costs little. Raises NotFoundError."""
        return self._require_job(job_id).state

    def page(
        self,
        *,
        limit: int,
        cursor: str | None,
        state: str | None,
        batch: str | None = None,
        labels: Sequence[tuple[str, str | None]] = (),
    ) -> Page[JobView]:
        """Jobs, newest first, without studies; `labels` as (key, value), or (key, None) for any value.

        Raises InvalidInputError for a bad cursor or limit.
        """
        below = cursors.start(LISTING, cursor)
        query = select(Job).where(Job.seq < below).order_by(Job.seq.desc())
        query = query.where(*chosen(batch=batch, labels=labels))
        if state is not None:
            query = query.where(Job.state == state)
        rows = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(job.seq, job) for job in rows], limit)
        return Page[JobView](items=self._views(shown), next_cursor=more)

    def all_of(self, job_ids: Sequence[str]) -> list[JobView]:
        """Some jobs in their order, without studies. Raises NotFoundError for the first that is not there."""
        rows = {job.id: job for job in self._session.scalars(select(Job).where(Job.id.in_(job_ids)))}
        jobs = [rows[job_id] if job_id in rows else self._require_job(job_id) for job_id in job_ids]
        return self._views(jobs)

    def set_labels(self, job_id: str, changes: Mapping[str, str | None]) -> JobView:
        """Change labels of a job; None takes one away. Raises NotFoundError."""
        self._locked(job_id)
        change_labels(self._session, job_id, changes)
        return self.get(job_id)

    def set_priority(self, job_id: str, priority: int) -> JobView:
        """Move a job forward or back in the queue of its workspace. Raises NotFoundError."""
        self._locked(job_id).priority = priority
        self._session.flush()
        return self.get(job_id)

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state that any job is in."""
        rows = self._session.execute(select(Job.state, func.count()).group_by(Job.state))
        return {state: number for state, number in rows}  # noqa: C416 - dict() has no type for rows

    def request_cancel(self, job_id: str) -> JobView:
        """Ask for a job to end: at once where it is queued, soon where it runs. Raises NotFoundError."""
        self._locked(job_id)
        self.cancel_all([job_id])
        return self.get(job_id)

    def cancel_all(self, job_ids: Sequence[str]) -> None:
        """Ask for every one of some jobs to end, as `request_cancel` does."""
        query = select(Job).where(Job.id.in_(job_ids), Job.state.in_(GOING)).order_by(Job.seq)
        query = query.with_for_update().execution_options(populate_existing=True)
        jobs = self._transaction.write().scalars(query).all()
        self._end_all([job for job in jobs if job.state == "queued"], "cancelled", None)
        running = [job for job in jobs if job.state == "running"]
        self._enter_all(running, "cancelling", self._transaction.now())

    def _views(self, jobs: Sequence[Job]) -> list[JobView]:
        """Jobs without studies, with four queries however many there are."""
        job_ids = [job.id for job in jobs]
        studies, known = study_progress(self._session, job_ids), beside(self._session, job_ids)
        return [_view(job, JobSpec.model_validate(job.spec), studies[job.id], known[job.id]) for job in jobs]

    def _new(self, new: NewJob, key: str | None, moment: datetime) -> Job:
        return Job(
            id=ids.new_job_id(),
            name=new.spec.name,
            state="queued",
            spec=new.spec.to_json(),
            spec_digest=new.spec.digest(),
            plan=dict(new.plan),
            trials_planned=new.trials_planned,
            idempotency_key=key and self._scoped(key),
            devices=new.spec.compute.gpus_per_trial or new.spec.compute.cpus_per_trial,
            created_at=moment,
            priority=new.priority,
            trace_id=self._transaction.trace_id,
        )


def _view(job: Job, spec: JobSpec, studies: Sequence[StudyProgress], known: Beside) -> JobView:
    return JobView.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "spec": spec.to_json(),
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "error": job.error,
            "reason": job.reason,
            "priority": job.priority,
            "trace_id": job.trace_id,
            "trials_planned": job.trials_planned,
            "trials_finished": trials_ended(spec, studies),
            "seconds_left": seconds_left(job, spec, studies),
            "labels": known.labels,
            "batch": known.batch,
        }
    )
