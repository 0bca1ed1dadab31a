"""The web pages: jobs, a job and its parts, fronts, ablations, batches, a point, the queue.

Tables need no JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.errors import BitfrontError, InvalidInputError
from service.api.context import ApiContext, Context, Operations
from service.api.errors import HttpError
from service.api.ids import PointId
from service.errors import NotFoundError
from service.labels import label_of
from service.store import Store
from service.views import JobState, JobView, Page, objective_of
from service.web.ablation_page import ablation_context, ablations_context
from service.web.batch_page import batch_context, batches_context
from service.web.comparison_page import comparison_context
from service.web.difference_page import difference_context
from service.web.figures_page import figures_context
from service.web.forms import Fields
from service.web.fronts_page import asked_view, fronts_context, growth_context
from service.web.job_page import job_context, progress
from service.web.live import Follow, live_part
from service.web.point_page import point_context
from service.web.queue_page import queue_context
from service.web.rendering import Renderer
from service.web.trial_page import trial_context, trials_context

JOBS_PER_PAGE = 20


def pages(renderer: Renderer) -> APIRouter:
    """The router of all pages; each is of its caller's workspace."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    def start() -> Response:
        return RedirectResponse("/jobs")

    @router.get("/jobs")
    def jobs(
        context: Context, cursor: str | None = None, label: str | None = None, state: str | None = None
    ) -> Response:
        return _answer(
            renderer,
            "jobs.html",
            context,
            lambda store: _jobs_context(store, context.settings.url, cursor, label, state),
        )

    @router.post("/jobs/cancel")
    def cancel(context: Context, fields: Fields) -> Response:
        asked = fields.get("job", [])
        with context.store.unit() as unit:
            unit.jobs.cancel_all(asked)
        one = fields.get("from") == ["job"] and len(asked) == 1
        return RedirectResponse(f"/jobs/{quote(asked[0], safe='')}" if one else "/jobs", status_code=303)

    @router.get("/jobs/{job_id}")
    def job(
        context: Context, job_id: str, metric: str | None = None, accuracy: str | None = None
    ) -> Response:
        return _answer(
            renderer,
            "job.html",
            context,
            lambda store: {
                **job_context(store, job_id, metric=metric, accuracy=accuracy),
                "progress": progress,
            },
        )

    @router.get("/jobs/{job_id}/figures")
    def figures(context: Context, job_id: str) -> Response:
        return _answer(renderer, "figures.html", context, lambda store: figures_context(store, job_id))

    @router.get("/jobs/{job_id}/comparison")
    def comparison(
        context: Context, job_id: str, subject: str | None = None, accuracy: str | None = None
    ) -> Response:
        return _answer(
            renderer,
            "comparison.html",
            context,
            lambda store: comparison_context(store, job_id, subject=subject, accuracy=accuracy),
        )

    @router.get("/fronts")
    def fronts(context: Context, request: Request) -> Response:
        asked = request.query_params
        return _answer(
            renderer, "fronts.html", context, lambda store: fronts_context(store, asked_view(asked))
        )

    @router.get("/fronts/growth")
    def growth(context: Context, request: Request) -> Response:
        asked = request.query_params
        return _answer(
            renderer, "growth.html", context, lambda store: growth_context(store, asked_view(asked))
        )

    @router.get("/ablations")
    def ablations(context: Context, cursor: str | None = None) -> Response:
        return _answer(renderer, "ablations.html", context, lambda store: ablations_context(store, cursor))

    @router.get("/ablations/{ablation_id}")
    def ablation(context: Context, ablation_id: str) -> Response:
        return _answer(renderer, "ablation.html", context, lambda store: ablation_context(store, ablation_id))

    @router.get("/batches")
    def batches(context: Context, cursor: str | None = None) -> Response:
        return _answer(renderer, "batches.html", context, lambda store: batches_context(store, cursor))

    @router.get("/batches/{batch_id}")
    def batch(context: Context, batch_id: str) -> Response:
        return _answer(renderer, "batch.html", context, lambda store: batch_context(store, batch_id))

    @router.get("/queue")
    def queue(context: Context, operations: Operations) -> Response:
        return _answer(
            renderer,
            "queue.html",
            context,
            lambda store: queue_context(
                operations.store, store, context.caller.workspace, context.room.problem()
            ),
        )

    @router.get("/jobs/{job_id}/trials")
    def trials(context: Context, job_id: str, request: Request) -> Response:
        asked = request.query_params
        return _answer(renderer, "trials.html", context, lambda store: trials_context(store, job_id, asked))

    @router.get("/trials/{trial_id}")
    def trial(context: Context, trial_id: str, epoch: str | None = None) -> Response:
        return _answer(
            renderer,
            "trial.html",
            context,
            lambda store: trial_context(store, context.settings.logs, trial_id, epoch),
        )

    @router.get("/points/{point_id}")
    def point(context: Context, point_id: str, epoch: str | None = None) -> Response:
        return _answer(renderer, "point.html", context, lambda store: point_context(store, point_id, epoch))

    @router.get("/points/{point_id}/difference")
    def chosen_difference(context: Context, point_id: PointId, other: str = "") -> Response:
        with context.store.unit() as unit:
            unit.points.get(point_id)  # another workspace's is not there
        chosen = quote(other.strip(), safe="")
        return RedirectResponse(f"/points/{point_id}" + (f"/difference/{chosen}" if chosen else ""))

    @router.get("/points/{point_id}/difference/{other_id}")
    def difference(context: Context, point_id: str, other_id: str) -> Response:
        return _answer(
            renderer,
            "difference.html",
            context,
            lambda store: difference_context(store, point_id, other_id),
        )

    @router.post("/points/{point_id}/rerun")
    def rerun(context: Context, fields: Fields, point_id: PointId) -> Response:
        with context.store.unit() as unit:
            unit.reruns.submit(point_id)
        return RedirectResponse(f"/points/{point_id}#reruns", status_code=303)

    return router


def _answer(
    renderer: Renderer, template: str, context: ApiContext, shown: Callable[[Store], dict[str, Any]]
) -> Response:
    """The page, or one that says what is not there; one with a `follow` is kept up to date from then on."""
    caller = {"caller": context.caller, "room": context.room.problem()}
    try:
        with context.store.unit() as unit:
            newest = unit.events.newest()  # before the rest: what comes in between is told again
        found = shown(context.store)
        follow = found.pop("follow", None)
        live = {"live": live_part(follow, newest)} if follow else {}
        return renderer.page(template, {**found, **live, **caller})
    except NotFoundError as error:
        return _refusal(renderer, error, {"title": "Not found", **caller}, 404)
    except InvalidInputError as error:
        return _refusal(renderer, error, {"title": "Not a page", **caller}, 422)


def error_page(renderer: Renderer, error: HttpError) -> Response:
    """The page that tells a person of an error before anybody knows who they are."""
    return _refusal(renderer, error, {"title": "Out of order", "caller": None}, error.status)


def _refusal(renderer: Renderer, error: BitfrontError, shown: dict[str, Any], status: int) -> Response:
    return renderer.page("missing.html", {**shown, "error": error}, status=status)


def _jobs_context(
    store: Store, url: str, cursor: str | None, label: str | None, asked: str | None
) -> dict[str, Any]:
    labels = [label_of(label)] if label else []
    state = asked if asked in get_args(JobState) else None
    with store.unit() as unit:
        page = unit.jobs.page(limit=JOBS_PER_PAGE, cursor=cursor, state=state, labels=labels)
        # Listings leave out the best points, which this page shows.
        items = [unit.jobs.get(job.id) for job in page.items]
    listed = Page[JobView](items=items, next_cursor=page.next_cursor)
    return {
        "page": listed,
        "first": cursor is None,
        "label": label or "",
        "state": state or "",
        "states": get_args(JobState),
        "follow": Follow(label=label or None),
        "kept": urlencode({name: value for name, value in (("label", label), ("state", state)) if value}),
        "progress": progress,
        "objective_of": objective_of,
        "url": url,
    }
