"""What the pages of batches show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from service.ablations.views import ENDED_ABLATION_STATES
from service.batches.spec import MOST_JOBS
from service.store import Store
from service.views import JobView
from service.web.job_page import progress
from service.web.live import Follow

BATCHES_PER_PAGE = 20
MOST_COLUMNS = 6
"""Of fields that vary; a list of whole jobs may differ in many more."""


def batches_context(store: Store, cursor: str | None) -> dict[str, Any]:
    """The context of `batches.html`. Raises InvalidInputError for a bad cursor."""
    with store.unit() as unit:
        page = unit.batches.page(limit=BATCHES_PER_PAGE, cursor=cursor)
    return {"page": page, "first": cursor is None, "follow": Follow()}


def batch_context(store: Store, batch_id: str) -> dict[str, Any]:
    """The context of `batch.html`. Raises NotFoundError."""
    with store.unit() as unit:
        batch = unit.batches.get(batch_id)
        jobs = unit.jobs.page(limit=MOST_JOBS, cursor=None, state=None, batch=batch_id).items
    ended = batch.state in ENDED_ABLATION_STATES
    jobs = sorted(jobs, key=_index)
    return {
        "batch": batch,
        "ended": ended,
        "jobs": jobs,
        "columns": varied(jobs),
        "cell": cell,
        "progress": progress,
        "follow": Follow(batch=batch_id, ended=ended),
    }


def varied(jobs: Sequence[JobView]) -> list[str]:
    """The fields that tell the jobs apart, by pointer, as many as a table has room for."""
    found = dict.fromkeys(pointer for job in jobs for pointer in _overrides(job))
    return list(found)[:MOST_COLUMNS]


def cell(job: JobView, pointer: str) -> str:
    """A job's value of a field that varies."""
    overrides = _overrides(job)
    if pointer not in overrides:
        return "–"
    value = overrides[pointer]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _overrides(job: JobView) -> Mapping[str, Any]:
    return {} if job.batch is None else job.batch.overrides


def _index(job: JobView) -> int:
    return 0 if job.batch is None else job.batch.index
