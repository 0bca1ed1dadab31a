"""Puts the web application together: the REST API, the pages, and the layers that every request passes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.staticfiles import StaticFiles

from service.api import (
    ablations,
    batches,
    catalogue,
    clouds,
    comparisons,
    differences,
    document,
    events,
    exports,
    figures,
    fits,
    fronts,
    health,
    jobs,
    keys,
    labels,
    many_events,
    overlays,
    points,
    problems,
    queue,
    reruns,
    trials,
    uploads,
    webhooks,
    workspace,
)
from service.api.access import Gate
from service.api.addresses import PlainAddresses
from service.api.authenticate import Authenticate
from service.api.body_limit import BodyLimit
from service.api.context import ApiContext, Catalogue
from service.api.etag import EntityTags
from service.api.guard import OriginGuard
from service.api.metrics import Metrics, StoreMetrics, counts_of
from service.api.observe import Observe
from service.room import Room
from service.settings import Settings
from service.store import Store
from service.web.admin import admin_pages
from service.web.new_job_page import new_job_page
from service.web.pages import error_page, pages
from service.web.rendering import Renderer
from service.web.sign_in import sign_in_pages
from service.web.uploads_page import uploads_page

SENT_KEY = HTTPBearer(auto_error=False, description="A key; none on loopback while there is none.")
"""Tells readers of the OpenAPI document of the layer that asks for it."""
STATIC = Path(__file__).parent / "web" / "static"


def create_app(settings: Settings, store: Store, *, offered: Catalogue | None = None) -> FastAPI:
    """The application over an open store; `offered` replaces what is registered, for tests."""
    app = FastAPI(
        title="Bitfront", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json"
    )
    app.state.context = ApiContext(
        settings=settings,
        store=store,
        catalogue=offered or catalogue.registered(),
        room=Room(settings),
    )
    app.state.metrics = _metrics(store)
    app.state.gate = Gate(settings, store)
    problems.install(app)
    events.install(app)
    app.include_router(health.router)
    for part in (
        jobs,
        labels,
        batches,
        ablations,
        trials,
        points,
        reruns,
        exports,
        fronts,
        fits,
        overlays,
        clouds,
        comparisons,
        differences,
        figures,
        events,
        many_events,
        catalogue,
        workspace,
        queue,
        keys,
        webhooks,
        uploads,
    ):
        app.include_router(part.router, dependencies=[Security(SENT_KEY)])
    document.install(app)
    renderer = Renderer()
    _add_pages(app, renderer)
    _add_layers(app, settings, renderer)
    return app


def _add_pages(app: FastAPI, renderer: Renderer) -> None:
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")
    app.include_router(new_job_page(renderer))  # before the page of a job, whose address takes any word
    app.include_router(pages(renderer))
    app.include_router(uploads_page(renderer))
    app.include_router(admin_pages(renderer))
    app.include_router(sign_in_pages(renderer))


def _add_layers(app: FastAPI, settings: Settings, renderer: Renderer) -> None:
    """The layer that is added last is passed first."""
    app.add_middleware(EntityTags)
    app.add_middleware(
        BodyLimit, max_bytes=settings.max_body_bytes, max_upload_bytes=settings.max_upload_bytes
    )
    app.add_middleware(Authenticate, gate=app.state.gate)
    app.add_middleware(PlainAddresses)
    app.add_middleware(OriginGuard, settings=settings)
    refusal = partial(error_page, renderer)
    app.add_middleware(Observe, metrics=app.state.metrics, refusal=refusal)


def _metrics(store: Store) -> Metrics:
    metrics = Metrics()
    metrics.registry.register(StoreMetrics(lambda: counts_of(store)))
    return metrics
