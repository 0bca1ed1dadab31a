"""The web pages: jobs, a job, its figures and comparison, ablations, a point. Tables need no JavaScript."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.errors import BitfrontError, InvalidInputError
from search.architecture import chosen_of, words
from service.errors import NotFoundError
from service.settings import Settings
from service.store import Store
from service.views import JobView, Page
from service.web.ablation_page import ablation_context, ablations_context
from service.web.comparison_page import comparison_context
from service.web.figures_page import figures_context
from service.web.job_page import job_context, progress
from service.web.layer_bars import layer_chart, layer_rows
from service.web.marks import marks
from service.web.rendering import Renderer

JOBS_PER_PAGE = 20


def pages(store: Store, settings: Settings) -> APIRouter:
    """The router of all pages over an open store."""
    renderer = Renderer()
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    def start() -> Response:
        return RedirectResponse("/jobs")

    @router.get("/jobs")
    def jobs(cursor: str | None = None) -> Response:
        return _answer(renderer, "jobs.html", lambda: _jobs_context(store, settings, cursor))

    @router.get("/jobs/{job_id}")
    def job(job_id: str, metric: str | None = None, accuracy: str | None = None) -> Response:
        return _answer(
            renderer,
            "job.html",
            lambda: {
                **job_context(store, job_id, metric=metric, accuracy=accuracy),
                "progress": progress,
            },
        )

    @router.get("/jobs/{job_id}/figures")
    def figures(job_id: str) -> Response:
        return _answer(renderer, "figures.html", lambda: figures_context(store, job_id))

    @router.get("/jobs/{job_id}/comparison")
    def comparison(job_id: str, subject: str | None = None, accuracy: str | None = None) -> Response:
        return _answer(
            renderer,
            "comparison.html",
            lambda: comparison_context(store, job_id, subject=subject, accuracy=accuracy),
        )

    @router.get("/ablations")
    def ablations(cursor: str | None = None) -> Response:
        return _answer(renderer, "ablations.html", lambda: ablations_context(store, cursor))

    @router.get("/ablations/{ablation_id}")
    def ablation(ablation_id: str) -> Response:
        return _answer(renderer, "ablation.html", lambda: ablation_context(store, ablation_id))

    @router.get("/points/{point_id}")
    def point(point_id: str) -> Response:
        return _answer(renderer, "point.html", lambda: _point_context(store, point_id))

    return router


def _answer(renderer: Renderer, template: str, context: Callable[[], dict[str, Any]]) -> Response:
    """The page, or one that says what is not there."""
    try:
        return renderer.page(template, context())
    except NotFoundError as error:
        return _refusal(renderer, error, "Not found", 404)
    except InvalidInputError as error:
        return _refusal(renderer, error, "Not a page", 422)


def _refusal(renderer: Renderer, error: BitfrontError, title: str, status: int) -> Response:
    return renderer.page("missing.html", {"title": title, "error": error}, status=status)


def _jobs_context(store: Store, settings: Settings, cursor: str | None) -> dict[str, Any]:
    with store.unit() as unit:
        page = unit.jobs.page(limit=JOBS_PER_PAGE, cursor=cursor, state=None)
        # Listings leave out the best points, which this page shows.
        items = [unit.jobs.get(job.id) for job in page.items]
    listed = Page[JobView](items=items, next_cursor=page.next_cursor)
    return {"page": listed, "first": cursor is None, "progress": progress, "url": settings.url}


def _point_context(store: Store, point_id: str) -> dict[str, Any]:
    with store.unit() as unit:
        point = unit.points.get(point_id)
        job = unit.jobs.get(point.job_id)
    return {
        "point": point,
        "job": job,
        "mark": marks([point.method])[point.method],
        "chart": layer_chart(point),
        "layers": layer_rows(point),
        "settings": words(chosen_of(point.settings)),
        "spec_text": json.dumps(point.spec, indent=2, ensure_ascii=False),
        "proposal_text": json.dumps(point.proposal, indent=2, ensure_ascii=False),
    }
