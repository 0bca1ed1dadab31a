"""Which jobs are meant: those that are named, those of a batch, and those with some labels."""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InvalidInputError
from search.job import JobSpec
from service.api.ids import checked_job_id
from service.store import Unit
from service.views import JobView

MOST_JOBS = 100


def chosen_jobs(
    unit: Unit, names: Sequence[str], *, batch: str | None, labels: Sequence[tuple[str, str | None]]
) -> list[JobView]:
    """Each once: the named in their order, those of the batch, then the newest with all of the labels.

    Raises NotFoundError for one that is not there, and InvalidInputError for more than MOST_JOBS.
    """
    found = [checked_job_id(name) for name in names]
    if batch is not None:
        unit.batches.require(batch)
        found += unit.batches.job_ids(batch)
    if labels:
        found += [
            job.id for job in unit.jobs.page(limit=MOST_JOBS, cursor=None, state=None, labels=labels).items
        ]
    chosen = list(dict.fromkeys(found))
    if len(chosen) > MOST_JOBS:
        raise InvalidInputError(f"{len(chosen)} jobs are too many.", fix=f"Name {MOST_JOBS} at most.")
    return unit.jobs.all_of(chosen)


def own_metrics(jobs: Sequence[JobView]) -> list[str]:
    """The metrics of the jobs' budgets."""
    return sorted({str(job.spec["budget"]["metric"]) for job in jobs})


def shared_metrics(jobs: Sequence[JobView]) -> list[str]:
    """The metrics that every job has fronts by."""
    known = [JobSpec.model_validate(job.spec).metrics() for job in jobs]
    return [metric for metric in known[0] if all(metric in others for others in known)] if known else []


def known_methods(jobs: Sequence[JobView]) -> list[str]:
    """The methods that any of the jobs runs."""
    return list(dict.fromkeys(method for job in jobs for method in [*job.spec["methods"], "uniform"]))


def known_seeds(jobs: Sequence[JobView]) -> list[int]:
    """The seeds that any of the jobs runs."""
    return sorted({seed for job in jobs for seed in job.spec["seeds"]})
