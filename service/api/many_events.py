"""The events of many jobs as one stream of server-sent events: what pages that show more than one job follow.

Ids of different jobs may be committed out of their order. So a look takes every id above a floor that it has
not told yet, and the floor is the newest id of some seconds ago: what was committed later than that, below an
id that was told, would be missed, and no transaction of the service takes so long. A reader that comes again
begins at the id that it names.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from service.api.context import POLL_SECONDS, ApiContext, Context
from service.api.events import News, parsed, told
from service.api.filters import chosen_labels
from service.api.queries import ManyEvents, ManyEventsQuery
from service.api.shared_looks import BATCH
from service.store import Unit
from service.store.events import MOST_IDS, WhoseEvents
from service.views import EventView

router = APIRouter(prefix="/v1", tags=["events"])
LATE_SECONDS = 5.0
"""The longest time between taking an id and committing it that is allowed for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Ids to tell now, whether there are more, and the id up to which all is told then."""

    ids: Sequence[int]
    more: bool
    complete_to: int


class Floor:
    """Above which id a look begins, and which ids above it were told already."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._told: set[int] = set()
        self._complete: deque[tuple[float, int]] = deque()

    def look(self, ids: Sequence[int], newest: int) -> Look:
        """What to tell of `ids`, which begin above the floor; `newest` was read before them."""
        new = [one for one in ids if one not in self._told]
        if len(new) > BATCH:
            return Look(ids=new[:BATCH], more=True, complete_to=new[BATCH] - 1)
        more = len(ids) == MOST_IDS
        return Look(ids=new, more=more, complete_to=ids[-1] if more else max(newest, *ids[-1:], self.after))

    def tell(self, look: Look, now: float) -> None:
        """These are told; the floor rises to where all was told some seconds ago."""
        self._told.update(look.ids)
        self._complete.append((now, look.complete_to))
        while self._complete[0][0] <= now - LATE_SECONDS:
            self.after = max(self.after, self._complete.popleft()[1])
        self._told = {one for one in self._told if one > self.after}


def _begin(
    context: Context, query: ManyEvents, last_event_id: Annotated[str | None, Header()] = None
) -> tuple[WhoseEvents, Floor]:
    """Whose events, and from where. Raises NotFoundError for a job or batch that is not there."""
    whose = WhoseEvents(
        jobs=tuple(dict.fromkeys(query.job)),
        batch=query.batch,
        labels=tuple(chosen_labels(query.label)),
        kinds=tuple(query.kind),
    )
    after = query.after if last_event_id is None else parsed(last_event_id)
    with context.store.unit() as unit:
        _check(unit, query)
        return whose, Floor(unit.events.newest() if after is None else after)


def _check(unit: Unit, query: ManyEventsQuery) -> None:
    for job_id in query.job:
        unit.jobs.state_of(job_id)
    if query.batch is not None:
        unit.batches.get(query.batch)


@router.get("/events", response_class=EventSourceResponse)
async def many_events(
    context: Context, query: ManyEvents, begin: Annotated[tuple[WhoseEvents, Floor], Depends(_begin)]
) -> AsyncIterator[ServerSentEvent]:
    """The events of many jobs, as they happen: of all, or of some jobs (`job`), a `batch` or a `label`.

    The stream stays open for `wait` seconds and ends with the time after which to come again.
    """
    whose, floor = begin
    clock = asyncio.get_running_loop().time

    async def look() -> News:
        now = clock()
        found, events = await run_in_threadpool(_read, context, whose, floor)
        floor.tell(found, now)
        again = now if found.more and events else now + POLL_SECONDS
        return News(events=events, over=False, again=again)

    async for event in told(context, look, until=clock() + query.wait):
        yield event


def _read(context: ApiContext, whose: WhoseEvents, floor: Floor) -> tuple[Look, list[EventView]]:
    """The newest id is read first, so that no event up to it is passed over."""
    with context.store.unit() as unit:
        newest = unit.events.newest()
        look = floor.look(unit.events.ids_after(floor.after, whose), newest)
        return look, unit.events.of_ids(look.ids)
