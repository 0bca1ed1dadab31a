"""The studies of a job as a comparison reads them: what each was given, what it used and what it found.

A study's compute runs in the order of its trials' numbers, which is the study's own, whenever each was run.
Failed, pruned and reused trials count with the samples that they processed or took over; reused ones have
the seconds of the trial that was trained: what a study costs does not depend on what was stored before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from search.comparison import Found, StudyRecord
from search.job import JobSpec
from service.store.studies import study_keys
from service.store.tables import Job, Point, Study, Trial
from service.store.transaction import Repository

Key = tuple[str, int]
"""The method and the seed of a study."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What the trials of a study used together; `per_epoch` is the most that one of them used in an epoch."""

    samples: int = 0
    seconds: float = 0.0
    per_epoch: int = 0
    finished: bool = False


class ComparisonRepository(Repository):
    """Reads whole jobs with three queries, however many studies and points there are."""

    def studies(self, job_id: str) -> tuple[StudyRecord, ...]:
        """Every study of a job, also those that have not begun. Raises NotFoundError."""
        job = self._require_job(job_id, with_plan=True)
        spec = JobSpec.model_validate(job.spec)
        used, found = self._used(job_id), self._found(job_id)
        share = _share(job, spec, used)
        return tuple(
            _record(key, spec, share, used.get(key, Used()), tuple(found.get(key, ())))
            for key in study_keys(spec)
        )

    def _used(self, job_id: str) -> dict[Key, Used]:
        trained = aliased(Trial)
        seconds = func.coalesce(trained.seconds, Trial.seconds)
        per_epoch = func.max(Trial.samples / func.nullif(Trial.epochs_done, 0))
        rows = self._session.execute(
            select(
                Study.method,
                Study.seed,
                Study.finished,
                func.coalesce(func.sum(Trial.samples), 0).label("samples"),
                func.coalesce(func.sum(seconds), 0.0).label("seconds"),
                func.coalesce(per_epoch, 0).label("per_epoch"),
            )
            .outerjoin(Trial, Trial.study_id == Study.id)
            .outerjoin(trained, trained.id == Trial.reused_from)
            .where(Study.job_id == job_id)
            .group_by(Study.seq)
        )
        return {
            (row.method, row.seed): Used(
                samples=int(row.samples),
                seconds=row.seconds,
                per_epoch=int(row.per_epoch),
                finished=row.finished,
            )
            for row in rows
        }

    def _found(self, job_id: str) -> dict[Key, list[Found]]:
        """The feasible points of every study that has any, in the order of its trials."""
        so_far = func.sum(Trial.samples).over(partition_by=Trial.study_id, order_by=Trial.number)
        ended = select(Trial.id, so_far.label("samples")).where(Trial.job_id == job_id).subquery()
        points = (Point.budget_cost, Point.score, Point.test_score)
        rows = self._session.execute(
            select(Point.method, Point.seed, ended.c.samples, *points)
            .join(ended, ended.c.id == Point.trial_id)
            .where(Point.job_id == job_id, Point.feasible)
            .order_by(Point.place)
        )
        found: dict[Key, list[Found]] = {}
        for method, seed, samples, cost, score, test_score in rows:
            one = Found(samples=int(samples), cost=cost, score=score, test_score=test_score)
            found.setdefault((method, seed), []).append(one)
        return found


def _share(job: Job, spec: JobSpec, used: Mapping[Key, Used]) -> int:
    """The samples that each study may process: as planned at submission, else from what is known instead.

    Without a stored plan they follow from the job where it names its training samples, else from its trials.
    """
    planned = job.plan.get("samples_per_study")
    if planned is not None:
        return int(planned)
    per_epoch = spec.dataset.train_samples or max((one.per_epoch for one in used.values()), default=0)
    return per_epoch * spec.training.epochs * spec.compute.trials_per_study


def _record(key: Key, spec: JobSpec, share: int, used: Used, found: tuple[Found, ...]) -> StudyRecord:
    method, seed = key
    return StudyRecord(
        method=method,
        seed=seed,
        share=share,
        samples=used.samples,
        seconds=used.seconds,
        device_seconds=used.seconds * spec.compute.gpus_per_trial,
        finished=used.finished,
        found=found,
    )
