"""Trials over REST, with their attempts and learning curves."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.context import Context
from service.api.csv_answers import csv_listing, csv_table, wants_csv
from service.api.filters import check_study
from service.api.ids import JobId, TrialId
from service.api.queries import Pages, TableForm, TrialPages
from service.trajectory.reading import trajectory_of
from service.trajectory.views import TrajectoryView
from service.views import AttemptView, EpochView, Page, StudyView, TrialAttemptView, TrialView
from service.worker_log import WorkerLineView, worker_lines

router = APIRouter(prefix="/v1", tags=["trials"])


@router.get("/jobs/{job_id}/trials", response_model=Page[TrialView])
def listing(
    context: Context, job_id: JobId, query: TrialPages, request: Request
) -> Page[TrialView] | Response:
    """The trials of a job, without their learning curves."""
    with context.store.unit() as unit:
        check_study(unit.jobs.get(job_id), query.method, query.seed)

    def read(limit: int, cursor: str | None) -> Page[TrialView]:
        with context.store.unit() as unit:
            return unit.trials.page(
                job_id, limit=limit, cursor=cursor, state=query.state, method=query.method, seed=query.seed
            )

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.TRIALS, f"{job_id}-trials")
    return read(query.limit, query.cursor)


@router.get("/jobs/{job_id}/attempts", response_model=Page[TrialAttemptView])
def attempts(
    context: Context, job_id: JobId, query: Pages, request: Request
) -> Page[TrialAttemptView] | Response:
    """Every attempt at a trial of a job, newest first."""

    def read(limit: int, cursor: str | None) -> Page[TrialAttemptView]:
        with context.store.unit() as unit:
            return unit.trials.attempts_page(job_id, limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.ATTEMPTS, f"{job_id}-attempts")
    return read(query.limit, query.cursor)


@router.get("/jobs/{job_id}/studies", response_model=list[StudyView])
def studies(
    context: Context, job_id: JobId, query: TableForm, request: Request
) -> list[StudyView] | Response:
    """The studies of a job, as the job has them too."""
    with context.store.unit() as unit:
        found = unit.jobs.get(job_id).studies
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.STUDIES, f"{job_id}-studies") if csv else found


@router.get("/trials/{trial_id}")
def one(context: Context, trial_id: TrialId) -> TrialView:
    """A trial with its learning curve, attempts and points."""
    with context.store.unit() as unit:
        return unit.trials.get(trial_id)


@router.get("/trials/{trial_id}/epochs", response_model=list[EpochView])
def epochs(
    context: Context, trial_id: TrialId, query: TableForm, request: Request
) -> list[EpochView] | Response:
    """The learning curve of a trial, as the trial has it too."""
    with context.store.unit() as unit:
        found = unit.trials.get(trial_id).epochs
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.EPOCHS, f"{trial_id}-epochs") if csv else found


@router.get("/trials/{trial_id}/attempts", response_model=list[AttemptView])
def attempts_at(
    context: Context, trial_id: TrialId, query: TableForm, request: Request
) -> list[AttemptView] | Response:
    """The attempts at a trial, as the trial has them too."""
    with context.store.unit() as unit:
        found = unit.trials.get(trial_id).attempts
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.ATTEMPTS_AT, f"{trial_id}-attempts") if csv else found


@router.get("/trials/{trial_id}/trajectory", response_model=list[TrajectoryView])
def trajectory(
    context: Context, trial_id: TrialId, query: TableForm, request: Request
) -> list[TrajectoryView] | Response:
    """The bits of each layer after each epoch; none where they were given or not yet kept."""
    with context.store.unit() as unit:
        found = list(trajectory_of(unit.trials.trajectory(trial_id)))
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.TRAJECTORY, f"{trial_id}-trajectory") if csv else found


@router.get("/trials/{trial_id}/log")
def log(context: Context, trial_id: TrialId) -> list[WorkerLineView]:
    """What workers on this machine wrote down about a trial: the newest 500 lines, oldest first."""
    with context.store.unit() as unit:
        found = unit.trials.get(trial_id).id
    return worker_lines(context.settings.logs, found)
