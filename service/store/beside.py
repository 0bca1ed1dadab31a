"""What is kept beside a job's spec: its labels, and its place in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from service.store.tables import BatchJob, Job, JobLabel
from service.views import BatchPlace


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """Of one job."""

    labels: Mapping[str, str] = field(default_factory=dict)
    batch: BatchPlace | None = None


def beside(session: Session, job_ids: Sequence[str]) -> dict[str, Beside]:
    """Of some jobs, by job, with two queries however many there are."""
    labels: dict[str, dict[str, str]] = {job_id: {} for job_id in job_ids}
    query = select(JobLabel).where(JobLabel.job_id.in_(job_ids)).order_by(JobLabel.key)
    for label in session.scalars(query):
        labels[label.job_id][label.key] = label.value
    places = {
        row.job_id: BatchPlace(id=row.batch_id, index=row.place, overrides=row.overrides)
        for row in session.scalars(select(BatchJob).where(BatchJob.job_id.in_(job_ids)))
    }
    return {job_id: Beside(labels=labels[job_id], batch=places.get(job_id)) for job_id in job_ids}


def add_labels(session: Session, job_id: str, labels: Mapping[str, str]) -> None:
    """Labels of a job that has none under these keys."""
    session.add_all(JobLabel(job_id=job_id, key=key, value=value) for key, value in labels.items())


def change_labels(session: Session, job_id: str, changes: Mapping[str, str | None]) -> None:
    """Replace labels of a job; None takes one away. The caller holds the lock of the job's row."""
    session.execute(delete(JobLabel).where(JobLabel.job_id == job_id, JobLabel.key.in_(list(changes))))
    add_labels(session, job_id, {key: value for key, value in changes.items() if value is not None})
    session.flush()


def chosen(*, batch: str | None, labels: Sequence[tuple[str, str | None]]) -> list[ColumnElement[bool]]:
    """Conditions on jobs: of a batch, and with every one of some labels (any value where it is None)."""
    found: list[ColumnElement[bool]] = []
    if batch is not None:
        found.append(Job.id.in_(select(BatchJob.job_id).where(BatchJob.batch_id == batch)))
    for key, value in labels:
        with_it = select(JobLabel.job_id).where(JobLabel.key == key)
        found.append(Job.id.in_(with_it if value is None else with_it.where(JobLabel.value == value)))
    return found
