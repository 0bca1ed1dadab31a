"""Ablations: submit one with all its jobs, look up, list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from search.ablation import AblationSpec, Variant
from search.job import JobSpec
from service.ablations.groups import group_views
from service.ablations.results import JobResults
from service.ablations.views import AblationView, state_of
from service.errors import ConflictError, NotFoundError
from service.store import cursors, ids
from service.store.jobs import JobRepository
from service.store.progress import study_progress, trials_ended
from service.store.tables import Ablation, AblationVariant, Job, Point
from service.store.transaction import Repository, Transaction
from service.views import ENDED_JOB_STATES, Page

LISTING = "ablations"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPlanned:
    """What is stored with a job beside its spec."""

    trials: int
    plan: Mapping[str, Any]


class AblationRepository(Repository):
    """Ablations as people see them."""

    def __init__(self, transaction: Transaction, jobs: JobRepository) -> None:
        super().__init__(transaction)
        self._jobs = jobs

    def submit(
        self,
        spec: AblationSpec,
        variants: Sequence[Variant],
        *,
        plans: Mapping[str, JobPlanned],
        idempotency_key: str | None,
    ) -> tuple[AblationView, bool]:
        """Store an ablation and its jobs; (ablation, True), or (the earlier, False) for a known key.

        `plans` has an entry for each digest of a job; equal jobs are stored once. Raises ConflictError when
        the key came with another ablation.
        """
        self._transaction.write()
        earlier = self._by_key(Ablation, idempotency_key)
        if earlier is None:
            ablation = self._new(spec, idempotency_key)
            earlier = self._insert(ablation, idempotency_key)
        if earlier is None:
            self._add_jobs(ablation, variants, plans)
            return self.get(ablation.id), True
        if earlier.spec_digest != spec.digest():
            raise ConflictError(
                "this idempotency key was used for another ablation.",
                fix="Send a new key with a new ablation.",
            )
        return self.get(earlier.id), False

    def get(self, ablation_id: str) -> AblationView:
        """An ablation with the results of all its variants. Raises NotFoundError."""
        ablation = self._session.scalar(select(Ablation).where(Ablation.id == ablation_id))
        if ablation is None:
            raise NotFoundError(f"there is no ablation {ablation_id!r}.")
        rows = self._rows([ablation_id])
        results = {job_id: self._results(job_id) for job_id in dict.fromkeys(row.job_id for row in rows)}
        return self._views([ablation], rows)[0].model_copy(update={"groups": group_views(rows, results)})

    def page(self, *, limit: int, cursor: str | None) -> Page[AblationView]:
        """Ablations, newest first, without groups. Raises InvalidInputError for a bad cursor or limit."""
        below = cursors.start(LISTING, cursor)
        query = select(Ablation).where(Ablation.seq < below).order_by(Ablation.seq.desc())
        found = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(row.seq, row) for row in found], limit)
        rows = self._rows([ablation.id for ablation in shown])
        return Page[AblationView](items=self._views(shown, rows), next_cursor=more)

    def of_job(self, job_id: str) -> tuple[str, str] | None:
        """The (id, name) of the ablation that a job belongs to, if any."""
        query = select(Ablation.id, Ablation.name).join(
            AblationVariant, AblationVariant.ablation_id == Ablation.id
        )
        row = self._session.execute(query.where(AblationVariant.job_id == job_id).limit(1)).one_or_none()
        return None if row is None else (row.id, row.name)

    def _new(self, spec: AblationSpec, key: str | None) -> Ablation:
        return Ablation(
            id=ids.new_ablation_id(),
            name=spec.job.name,
            spec=spec.to_json(),
            spec_digest=spec.digest(),
            idempotency_key=key and self._scoped(key),
            created_at=self._transaction.now(),
        )

    def _add_jobs(
        self, ablation: Ablation, variants: Sequence[Variant], plans: Mapping[str, JobPlanned]
    ) -> None:
        job_ids: dict[str, str] = {}
        rows = [(variant, job) for variant in variants for job in variant.jobs]
        for place, (variant, job) in enumerate(rows):
            digest = job.digest()
            if digest not in job_ids:
                job_ids[digest] = self._submit(job, plans[digest])
            self._session.add(_variant_row(ablation.id, place, variant, job_ids[digest]))
        self._session.flush()

    def _submit(self, job: JobSpec, planned: JobPlanned) -> str:
        view, _ = self._jobs.submit(
            job, trials_planned=planned.trials, plan=planned.plan, idempotency_key=None
        )
        return view.id

    def _rows(self, ablation_ids: Sequence[str]) -> list[AblationVariant]:
        query = select(AblationVariant).where(AblationVariant.ablation_id.in_(ablation_ids))
        return list(self._session.scalars(query.order_by(AblationVariant.ablation_id, AblationVariant.place)))

    def _results(self, job_id: str) -> JobResults:
        job = self._jobs.get(job_id)
        plan = self._session.scalar(select(Job.plan).where(Job.id == job_id)) or {}
        points = {entry.point_id for study in job.studies for entry in study.best if entry.point_id}
        allocations = self._session.execute(select(Point.id, Point.allocation).where(Point.id.in_(points)))
        return JobResults(
            job=job,
            layers=plan.get("layers", ()),
            allocations={row.id: row.allocation for row in allocations},
        )

    def _views(self, ablations: Sequence[Ablation], rows: Sequence[AblationVariant]) -> list[AblationView]:
        """Ablations and their progress, with three queries however many there are."""
        jobs_of: dict[str, set[str]] = {ablation.id: set() for ablation in ablations}
        for row in rows:
            jobs_of[row.ablation_id].add(row.job_id)
        job_ids = sorted({row.job_id for row in rows})
        jobs = {job.id: job for job in self._session.scalars(select(Job).where(Job.id.in_(job_ids)))}
        done = {
            job_id: trials_ended(JobSpec.model_validate(jobs[job_id].spec), studies)
            for job_id, studies in study_progress(self._session, job_ids).items()
        }
        return [
            _view(ablation, [jobs[job_id] for job_id in sorted(jobs_of[ablation.id])], done)
            for ablation in ablations
        ]


def _variant_row(ablation_id: str, place: int, variant: Variant, job_id: str) -> AblationVariant:
    return AblationVariant(
        ablation_id=ablation_id,
        group=variant.group,
        variant=variant.name,
        job_id=job_id,
        place=place,
        method=variant.method,
        description=variant.description,
    )


def _view(ablation: Ablation, jobs: Sequence[Job], done: Mapping[str, int]) -> AblationView:
    return AblationView(
        id=ablation.id,
        name=ablation.name,
        state=state_of([job.state for job in jobs]),
        spec=ablation.spec,
        created_at=ablation.created_at,
        jobs=len(jobs),
        jobs_ended=sum(job.state in ENDED_JOB_STATES for job in jobs),
        trials_planned=sum(job.trials_planned for job in jobs),
        trials_done=sum(done[job.id] for job in jobs),
    )
