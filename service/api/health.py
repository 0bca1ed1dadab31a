"""Whether the service lives, whether it is ready, and its metrics."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from service.api.context import ApiContext, Operations
from service.api.errors import HttpError
from service.api.home import home_id

router = APIRouter(tags=["operations"])


@router.get("/livez")
def livez() -> dict[str, str]:
    """Answers as long as the process does."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(context: Operations) -> dict[str, str]:
    """Answers 503 with the reason while jobs, or what they bring, could not be stored."""
    _check_database(context)
    _check_room(context)
    return {"status": "ready", "home": home_id(context.settings.home)}


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The metrics in Prometheus' text form."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _check_database(context: ApiContext) -> None:
    try:
        current = context.store.at_head()
    except Exception as error:
        # One line: probes come every few seconds, and drawing a traceback can take as long as they wait.
        structlog.get_logger("bitfront.health").warning("the database cannot be reached", error=repr(error))
        raise _not_ready("the database cannot be reached.", "Look at the log of the service.") from error
    if not current:
        raise _not_ready("the database has another schema than this version.", "Restart `bitfront serve`.")


def _check_room(context: ApiContext) -> None:
    problem = context.room.look()
    if problem is not None:
        raise _not_ready(problem.message, problem.fix)


def _not_ready(message: str, fix: str) -> HttpError:
    return HttpError(503, "not_ready", message, fix=fix)
