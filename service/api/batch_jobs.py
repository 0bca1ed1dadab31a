"""Checks every job of a batch before any is stored; what is wrong is told by its place in the body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.errors import BitfrontError, DataDamagedError, DataMissingError, InvalidInputError
from search.job import JobSpec
from service.api.body import checked_json
from service.api.context import ApiContext
from service.api.errors import InvalidFieldsError
from service.api.jobs import stored_plan, view_of_plan
from service.api.submission import JobSubmission
from service.api.validation import MOST_ERRORS
from service.batches.expansion import Combination, combinations, overrides, pointer_in_batch
from service.batches.places import Place, place_of
from service.batches.spec import BatchSpec
from service.problem import FieldError
from service.store.jobs import NewJob
from service.views import PlanView

MOST_REFUSED = 20
"""Jobs that are refused before the rest is no longer looked at."""
REFUSALS = (InvalidInputError, DataMissingError, DataDamagedError)


def checked_jobs(context: ApiContext, spec: BatchSpec) -> list[tuple[NewJob, Mapping[str, Any]]]:
    """Every job of a batch, planned, with its overrides. Raises InvalidFieldsError, naming the jobs."""
    found = combinations(spec)
    refused: dict[int, list[FieldError]] = {}
    planner = Planner(context)
    jobs: list[NewJob] = []
    for one in found:
        try:
            jobs.append(planner.planned(one))
        except REFUSALS as error:
            refused[one.index] = _fields(error)
        if len(refused) == MOST_REFUSED:
            break
    if refused:
        raise InvalidFieldsError(_told(spec, found, refused))
    _refuse_repeats(spec, found, jobs)
    return list(zip(jobs, overrides(found), strict=True))


class Planner:
    """Plans jobs; those that differ in nothing that a plan depends on share one."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._plans: dict[str, tuple[PlanView, Mapping[str, Any]]] = {}

    def planned(self, one: Combination) -> NewJob:
        """A job of a batch. Raises what parsing and planning raise, with pointers into the job."""
        submission = checked_json(JobSubmission, json.dumps(one.document).encode())
        job = submission.job()
        view, plan = self._plan(job)
        return NewJob(
            spec=job,
            trials_planned=view.trials,
            plan=plan,
            labels=submission.labels,
            priority=submission.priority,
        )

    def _plan(self, job: JobSpec) -> tuple[PlanView, Mapping[str, Any]]:
        # How many seeds there are decides on the trials; which they are, and the name, on nothing.
        alike = job.model_copy(update={"name": "-", "seeds": tuple(range(len(job.seeds)))}).digest()
        if alike not in self._plans:
            plan = self._context.catalogue.plan(job, self._context.settings.data)
            view = view_of_plan(job, plan)
            self._plans[alike] = (view, stored_plan(view, plan))
        return self._plans[alike]


def _fields(error: BitfrontError) -> list[FieldError]:
    if isinstance(error, InvalidFieldsError):
        return error.errors
    return [FieldError(pointer=error.pointer, detail=error.message, fix=error.fix, code=error.code)]


def _told(
    spec: BatchSpec, found: Sequence[Combination], refused: Mapping[int, list[FieldError]]
) -> list[FieldError]:
    """Each mistake once, with the first job that it spoils and how many others of those refused."""
    jobs_of: dict[tuple[str, str, str, str], list[int]] = {}
    for index, errors in refused.items():
        for error in errors:
            pointer = pointer_in_batch(spec, found[index], _place(error.pointer))
            jobs_of.setdefault((pointer, error.code, error.detail, error.fix), []).append(index)
    told = [
        FieldError(pointer=pointer, code=code, detail=_detail(found, detail, indices), fix=fix)
        for (pointer, code, detail, fix), indices in jobs_of.items()
    ]
    return told[:MOST_ERRORS]


def _detail(found: Sequence[Combination], detail: str, indices: Sequence[int]) -> str:
    others = f"; {len(indices) - 1} more are refused for the same" if len(indices) > 1 else ""
    return f"{detail.rstrip('.')} ({found[indices[0]].title(len(found))}{others})."


def _refuse_repeats(spec: BatchSpec, found: Sequence[Combination], jobs: Sequence[NewJob]) -> None:
    errors = list(_repeats(spec, found, [new.spec for new in jobs]))
    if errors:
        raise InvalidFieldsError(errors[:MOST_ERRORS])


def _repeats(spec: BatchSpec, found: Sequence[Combination], jobs: Sequence[JobSpec]) -> Iterator[FieldError]:
    """Names that two jobs were given, and jobs that are the same but for a number."""
    names: dict[str, int] = {}
    contents: dict[tuple[str | None, str], int] = {}
    for one, job in zip(found, jobs, strict=True):
        title = one.title(len(found))
        named = names.setdefault(job.name, one.index) if one.named else one.index
        own = (job.name if one.named else None, job.model_copy(update={"name": "-"}).digest())
        same = contents.setdefault(own, one.index)
        if named != one.index:
            detail = f"{job.name!r} is also the name of job {named + 1} ({title})."
            pointer = pointer_in_batch(spec, one, ("name",))
            fix = "Give each job a name of its own, or none: they are numbered then."
            yield FieldError(pointer=pointer, detail=detail, fix=fix, code="invalid")
        elif same != one.index:
            detail = f"it is the same as job {same + 1} ({title})."
            pointer = "/grid" if one.entry is None else f"/jobs/{one.entry}"
            fix = "Leave one of them out, or name both."
            yield FieldError(pointer=pointer, detail=detail, fix=fix, code="invalid")


def _place(pointer: str) -> Place:
    return place_of(pointer) if pointer else ()
