"""The events of a job as server-sent events: resumable by `Last-Event-ID`, and ending with the job."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api.context import POLL_SECONDS, ApiContext, Context
from service.api.errors import InvalidFieldsError
from service.api.ids import JobId
from service.api.queries import EventsAfter
from service.api.shared_looks import BATCH
from service.problem import FieldError
from service.views import ENDED_JOB_STATES, EventView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["events"])
RETRY_MILLISECONDS = 3000
"""After which a browser, or another reader, connects again with the id of the last event that it saw."""


class StreamOverError(Exception):
    """The job has ended and its last event was seen: 204 tells a browser not to connect again."""


def install(app: FastAPI) -> None:
    """Answer a stream that is over with 204."""

    async def no_content(request: Request, error: Exception) -> Response:
        return Response(status_code=204)

    app.add_exception_handler(StreamOverError, no_content)


def _start(
    context: Context, job_id: JobId, query: EventsAfter, last_event_id: Annotated[str | None, Header()] = None
) -> int:
    """The id after which the stream begins; the header, which browsers send by themselves, goes first."""
    after = query.after if last_event_id is None else parsed(last_event_id)
    ended, batch = _read(context, job_id, after)
    if ended and not batch:
        raise StreamOverError
    return after


@router.get("/events", response_class=EventSourceResponse)
async def events(
    context: Context, job_id: JobId, after: Annotated[int, Depends(_start)]
) -> AsyncIterator[ServerSentEvent]:
    """Every event after the given one, as it happens, until the job has ended or the key is revoked.

    Where the service stops or its database is away, the stream ends with the time after which to come again.
    """

    def read(seen: int) -> Awaitable[tuple[bool, list[EventView]]]:
        return run_in_threadpool(_read, context, job_id, seen)

    seen = after
    with context.looks.reader(job_id) as shared:

        async def look() -> News:
            nonlocal seen
            found = await shared.look(seen, read)
            events = [event for event in found.events if event.id > seen]
            seen = max((event.id for event in events), default=seen)
            again = found.at if found.full else found.at + POLL_SECONDS
            return News(events=events, over=found.ended and not found.full, again=again)

        async for event in told(context, look):
            yield event


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What one look found that is new to the reader; `again` is when to look again, by the loop's clock."""

    events: Sequence[EventView]
    over: bool
    again: float


async def told(
    context: ApiContext, look: Callable[[], Awaitable[News]], until: float = math.inf
) -> AsyncIterator[ServerSentEvent]:
    """Tells what looks find until there is no more to come, the time has come or the key is revoked.

    Where the service stops, its database is away or the time has come, the last word is when to come again.
    """
    clock = asyncio.get_running_loop().time
    try:
        while not context.stopping.is_set():
            if not await run_in_threadpool(_admitted, context):
                return
            news = await look()
            for event in news.events:
                yield ServerSentEvent(id=str(event.id), event=event.kind, raw_data=event.model_dump_json())
            if news.over:
                return
            if news.again >= until:
                break
            await asyncio.sleep(news.again - clock())
    except OperationalError as error:
        structlog.get_logger("bitfront.events").warning("the database cannot be reached", error=str(error))
    yield ServerSentEvent(retry=RETRY_MILLISECONDS, comment="come again")


def _admitted(context: ApiContext) -> bool:
    if context.caller.key_id is None:
        return True
    with context.store.unit() as unit:
        return context.caller.admitted(unit)


def _read(context: ApiContext, job_id: str, after: int) -> tuple[bool, list[EventView]]:
    """Whether the job has ended, then its events: in this order, the last of them cannot be missed."""
    with context.store.unit() as unit:
        ended = unit.jobs.state_of(job_id) in ENDED_JOB_STATES
        return ended, unit.events.after(job_id, after=after, limit=BATCH)


def parsed(text: str) -> int:
    """The id that a `Last-Event-ID` names. Raises InvalidFieldsError."""
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    error = FieldError(
        parameter="Last-Event-ID",
        detail=f"{text[:40]!r} is not the id of an event.",
        fix="Send the id of the last event that was seen, or no header.",
        code="wrong_type",
    )
    raise InvalidFieldsError([error])
