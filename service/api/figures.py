"""Figures over REST: all of a job, a trial or an ablation, or one of them as JSON or CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.ids import AblationId, JobId, TrialId
from service.api.queries import TableForm
from service.figures.learning import learning_figures
from service.figures.reading import figure_named, figures_of_ablation, figures_of_job
from service.figures.table import figure_csv
from service.figures.views import FigureView

router = APIRouter(prefix="/v1", tags=["figures"])
FigureKey = Annotated[str, Path(description="One of the keys that the list has.")]


@router.get("/jobs/{job_id}/figures")
def of_job(context: Context, job_id: JobId) -> list[FigureView]:
    """Every figure of a job, from what it has found so far."""
    with context.store.unit() as unit:
        return figures_of_job(unit, unit.jobs.get(job_id))


@router.get("/jobs/{job_id}/figures/{key}", response_model=FigureView)
def one_of_job(
    context: Context, job_id: JobId, key: FigureKey, query: TableForm, request: Request
) -> FigureView | Response:
    """One figure of a job."""
    return _answer(of_job(context, job_id), job_id, key, wants_csv(query.format, request))


@router.get("/trials/{trial_id}/figures")
def of_trial(context: Context, trial_id: TrialId) -> list[FigureView]:
    """The learning curves of a trial."""
    with context.store.unit() as unit:
        return learning_figures(unit.trials.get(trial_id))


@router.get("/trials/{trial_id}/figures/{key}", response_model=FigureView)
def one_of_trial(
    context: Context, trial_id: TrialId, key: FigureKey, query: TableForm, request: Request
) -> FigureView | Response:
    """One learning curve of a trial."""
    return _answer(of_trial(context, trial_id), trial_id, key, wants_csv(query.format, request))


@router.get("/ablations/{ablation_id}/figures")
def of_ablation(context: Context, ablation_id: AblationId) -> list[FigureView]:
    """A figure for each group of an ablation."""
    with context.store.unit() as unit:
        return figures_of_ablation(unit, ablation_id)


@router.get("/ablations/{ablation_id}/figures/{key}", response_model=FigureView)
def one_of_ablation(
    context: Context, ablation_id: AblationId, key: FigureKey, query: TableForm, request: Request
) -> FigureView | Response:
    """One figure of an ablation."""
    return _answer(of_ablation(context, ablation_id), ablation_id, key, wants_csv(query.format, request))


def _answer(figures: list[FigureView], owner: str, key: str, as_csv: bool) -> FigureView | Response:
    figure = figure_named(figures, key)
    if not as_csv:
        return figure
    return csv_answer(figure_csv(figure), f"{owner}-{figure.key}")
