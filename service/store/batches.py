"""Batches: submit one with all its jobs, look up, list, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import func, select

from service.ablations.views import state_of
from service.batches.spec import BatchSpec
from service.batches.views import BatchView
from service.errors import ConflictError, NotFoundError
from service.store import cursors, ids
from service.store.jobs import JobRepository, NewJob
from service.store.tables import BatchJob, Job, JobBatch, Trial
from service.store.transaction import Repository, Transaction
from service.views import ENDED_JOB_STATES, ENDED_TRIAL_STATES, JobState, Page

LISTING = "batches"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The jobs of one batch in one state, and their trials."""

    state: JobState
    jobs: int
    planned: int
    finished: int = 0


class BatchRepository(Repository):
    """Batches as people see them."""

    def __init__(self, transaction: Transaction, jobs: JobRepository) -> None:
        super().__init__(transaction)
        self._jobs = jobs

    def submit(
        self,
        spec: BatchSpec,
        name: str,
        jobs: Sequence[tuple[NewJob, Mapping[str, Any]]],
        *,
        idempotency_key: str | None,
    ) -> tuple[BatchView, bool]:
        """Store a batch and its jobs, each with its overrides; (batch, True), or (the earlier, False).

        Raises ConflictError when the key came with another batch, and QuotaExceededError.
        """
        self._transaction.write()
        earlier = self._by_key(JobBatch, idempotency_key)
        if earlier is None:
            batch = self._new(spec, name, idempotency_key)
            earlier = self._insert(batch, idempotency_key)
        if earlier is None:
            job_ids = self._jobs.submit_all([new for new, _ in jobs])
            self._add_places(batch.id, job_ids, [overrides for _, overrides in jobs])
            return self.get(batch.id), True
        if earlier.spec_digest != spec.digest():
            raise ConflictError(
                "this idempotency key was used for another batch.", fix="Send a new key with a new batch."
            )
        return self.get(earlier.id), False

    def get(self, batch_id: str) -> BatchView:
        """A batch and its progress. Raises NotFoundError."""
        batch = self.require(batch_id)
        view = _view(batch, self._tallies([batch_id]).get(batch_id, ()))
        return view.model_copy(update={"spec": batch.spec})

    def page(self, *, limit: int, cursor: str | None) -> Page[BatchView]:
        """Batches, newest first, without specs. Raises InvalidInputError for a bad cursor or limit."""
        below = cursors.start(LISTING, cursor)
        query = select(JobBatch).where(JobBatch.seq < below).order_by(JobBatch.seq.desc())
        found = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(row.seq, row) for row in found], limit)
        tallies = self._tallies([batch.id for batch in shown])
        views = [_view(batch, tallies.get(batch.id, ())) for batch in shown]
        return Page[BatchView](items=views, next_cursor=more)

    def cancel(self, batch_id: str) -> BatchView:
        """Ask every job of a batch to end; asking again changes nothing. Raises NotFoundError."""
        self._transaction.write()
        self.require(batch_id)
        self._jobs.cancel_all(self.job_ids(batch_id))
        return self.get(batch_id)

    def job_ids(self, batch_id: str) -> list[str]:
        """The jobs of a batch, in order."""
        query = select(BatchJob.job_id).where(BatchJob.batch_id == batch_id)
        return list(self._session.scalars(query.order_by(BatchJob.place)))

    def require(self, batch_id: str) -> JobBatch:
        """The row of a batch. Raises NotFoundError."""
        batch = self._session.scalar(select(JobBatch).where(JobBatch.id == batch_id))
        if batch is None:
            raise NotFoundError(f"there is no batch {batch_id!r}.")
        return batch

    def _new(self, spec: BatchSpec, name: str, key: str | None) -> JobBatch:
        return JobBatch(
            id=ids.new_batch_id(),
            name=name,
            spec=spec.to_json(),
            spec_digest=spec.digest(),
            idempotency_key=key and self._scoped(key),
            created_at=self._transaction.now(),
        )

    def _add_places(
        self, batch_id: str, job_ids: Sequence[str], overrides: Sequence[Mapping[str, Any]]
    ) -> None:
        self._session.add_all(
            BatchJob(job_id=job_id, batch_id=batch_id, place=place, overrides=dict(own))
            for place, (job_id, own) in enumerate(zip(job_ids, overrides, strict=True))
        )
        self._session.flush()

    def _tallies(self, batch_ids: Sequence[str]) -> dict[str, list[Tally]]:
        """By batch, with two queries however many jobs there are."""
        group = (BatchJob.batch_id, Job.state)
        members = select(*group).join(Job, Job.id == BatchJob.job_id).where(BatchJob.batch_id.in_(batch_ids))
        jobs = members.add_columns(
            func.count().label("jobs"), func.sum(Job.trials_planned).label("planned")
        ).group_by(*group)
        ended = members.join(Trial, Trial.job_id == Job.id).where(Trial.state.in_(ENDED_TRIAL_STATES))
        trials = ended.add_columns(func.sum(Trial.share).label("finished")).group_by(*group)
        finished = {(row.batch_id, row.state): row.finished for row in self._session.execute(trials)}
        found: dict[str, list[Tally]] = {}
        for row in self._session.execute(jobs):
            tally = Tally(
                state=row.state,
                jobs=row.jobs,
                planned=int(row.planned),
                finished=int(finished.get((row.batch_id, row.state), 0)),
            )
            found.setdefault(row.batch_id, []).append(tally)
        return found


def _view(batch: JobBatch, tallies: Iterable[Tally]) -> BatchView:
    by_state = {tally.state: tally for tally in tallies}
    ended = [tally for state, tally in by_state.items() if state in ENDED_JOB_STATES]
    going = [tally for state, tally in by_state.items() if state not in ENDED_JOB_STATES]
    planned = sum(tally.planned for tally in by_state.values())
    done = sum(tally.planned for tally in ended) + sum(tally.finished for tally in going)
    return BatchView(
        id=batch.id,
        name=batch.name,
        state=state_of(list(by_state)),
        created_at=batch.created_at,
        jobs=sum(tally.jobs for tally in by_state.values()),
        jobs_ended=sum(tally.jobs for tally in ended),
        jobs_by_state={
            state: by_state[state].jobs if state in by_state else 0 for state in get_args(JobState)
        },
        trials_planned=planned,
        trials_finished=sum(tally.finished for tally in by_state.values()),
        share_done=min(done / planned, 1.0) if planned else 1.0,
    )
