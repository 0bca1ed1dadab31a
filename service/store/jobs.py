"""Submit, look up, list and cancel jobs; their leases are in `leases`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from search.job import JobSpec
from service.errors import ConflictError
from service.store import cursors, ids
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


class JobRepository(Leases):
    """Jobs as people see them, and their leases."""

    def __init__(self, transaction: Transaction, events: EventRepository, quotas: QuotaRepository) -> None:
        super().__init__(transaction, events)
        self._quotas = quotas

    def submit(
        self, spec: JobSpec, *, trials_planned: int, plan: Mapping[str, Any], idempotency_key: str | None
    ) -> tuple[JobView, bool]:
        """Store a job in state queued; (job, True), or (the earlier job, False) for a key used before.

        Raises ConflictError when the key came with another spec, and QuotaExceededError.
        """
        self._transaction.write()
        earlier = self._by_key(idempotency_key)
        if earlier is None:
            self._quotas.require_room(trials=trials_planned)
            job = self._new(spec, trials_planned, plan, idempotency_key)
            earlier = self._insert(job, idempotency_key)
        if earlier is None:
            return _view(job, spec, []).model_copy(update={"best": best_of(spec, [])}), True
        if earlier.spec_digest != spec.digest():
            raise ConflictError(
                "this idempotency key was used for another job.", fix="Send a new key with a new job."
            )
        return self.get(earlier.id), False

    def get(self, job_id: str) -> JobView:
        """A job with its studies and best points. Raises NotFoundError."""
        job = self._require_job(job_id)
        spec = JobSpec.model_validate(job.spec)
        studies = study_progress(self._session, [job_id])[job_id]
        found = best_points(self._session, job_id, spec)
        seen = {"studies": study_views(spec, studies, found), "best": best_of(spec, found)}
        return _view(job, spec, studies).model_copy(update=seen)

    def page(self, *, limit: int, cursor: str | None, state: str | None) -> Page[JobView]:
        """Jobs, newest first, without studies. Raises InvalidInputError for a bad cursor or limit."""
        below = cursors.start(LISTING, cursor)
        query = select(Job).where(Job.seq < below).order_by(Job.seq.desc())
        if state is not None:
            query = query.where(Job.state == state)
        rows = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(job.seq, job) for job in rows], limit)
        studies = study_progress(self._session, [job.id for job in shown])
        views = [_view(job, JobSpec.model_validate(job.spec), studies[job.id]) for job in shown]
        return Page[JobView](items=views, next_cursor=more)

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state that any job is in."""
        rows = self._session.execute(select(Job.state, func.count()).group_by(Job.state))
        return {state: number for state, number in rows}  # noqa: C416 - dict() has no type for rows

    def request_cancel(self, job_id: str) -> JobView:
        """Ask for a job to end: at once where it is queued, soon where it runs. Raises NotFoundError."""
        job = self._locked(job_id)
        if job.state == "queued":
            self._end(job, "cancelled", None)
        elif job.state == "running":
            self._enter(job, "cancelling", self._transaction.now())
        self._session.flush()
        return self.get(job_id)

    def _by_key(self, key: str | None) -> Job | None:
        if key is None:
            return None
        return self._session.scalar(select(Job).where(Job.idempotency_key == self._scoped(key)))

    def _insert(self, job: Job, key: str | None) -> Job | None:
        """Store a new row, unless a submitter with the same key was faster: then its row."""
        try:
            with self._session.begin_nested():
                self._session.add(job)
        except IntegrityError:
            winner = self._by_key(key)
            if winner is None:
                raise
            return winner
        self._events.append(job.id, "job_state", {"state": "queued", "error": None}, job.created_at)
        return None

    def _new(self, spec: JobSpec, trials_planned: int, plan: Mapping[str, Any], key: str | None) -> Job:
        return Job(
            id=ids.new_job_id(),
            name=spec.name,
            state="queued",
            spec=spec.to_json(),
            spec_digest=spec.digest(),
            plan=dict(plan),
            trials_planned=trials_planned,
            idempotency_key=key and self._scoped(key),
            devices=spec.compute.gpus_per_trial or spec.compute.cpus_per_trial,
            created_at=self._transaction.now(),
        )


def _view(job: Job, spec: JobSpec, studies: Sequence[StudyProgress]) -> JobView:
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
            "trials_planned": job.trials_planned,
            "trials_finished": trials_ended(spec, studies),
            "seconds_left": seconds_left(job, spec, studies),
        }
    )
