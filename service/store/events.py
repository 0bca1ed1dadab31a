"""The event stream of a job: what happened, in the order in which readers see it.

Whoever appends holds the lock of the job's row (or is its submitter), so the ids of one job's events grow in
the order of their commits: a reader that has seen an id never misses a smaller one. Over many jobs that does
not hold on PostgreSQL: of two transactions, the one that took the smaller id may commit last. Readers of many
jobs therefore look at the newest ids more than once (`service.api.many_events`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from service.store.beside import chosen
from service.store.cursors import check_limit
from service.store.outbox import Outbox
from service.store.tables import Event, Job
from service.store.transaction import Repository, Transaction
from service.views import EventView

MOST_IDS = 10_000
"""Of events, in one look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WhoseEvents:
    """Which events of the workspace: of some jobs, of a batch, with all of some labels, of some kinds.

    What is empty narrows nothing.
    """

    jobs: tuple[str, ...] = ()
    batch: str | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    kinds: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """On the rows of events."""
        found: list[ColumnElement[bool]] = []
        if self.jobs:
            found.append(Event.job_id.in_(self.jobs))
        if self.kinds:
            found.append(Event.kind.in_(self.kinds))
        if self.batch is not None or self.labels:
            of_jobs = select(Job.id).where(*chosen(batch=self.batch, labels=self.labels))
            found.append(Event.job_id.in_(of_jobs))
        return found


class EventRepository(Repository):
    """Reads and appends events; webhooks are told of those that they ask for."""

    def __init__(self, transaction: Transaction, outbox: Outbox) -> None:
        super().__init__(transaction)
        self._outbox = outbox

    def after(self, job_id: str, *, after: int, limit: int) -> list[EventView]:
        """At most `limit` events of a job with ids above `after`, oldest first."""
        found = self._session.scalars(
            select(Event)
            .where(Event.job_id == job_id, Event.seq > after)
            .order_by(Event.seq)
            .limit(check_limit(limit))
        )
        return [_view(event) for event in found]

    def newest(self) -> int:
        """The id of the newest event of all jobs, other workspaces' too; 0 where there is none."""
        table = Event.__table__  # the table itself: rows of one workspace are found by a scan
        return self._session.execute(select(func.max(table.c.seq))).scalar_one() or 0

    def ids_after(self, after: int, whose: WhoseEvents) -> list[int]:
        """Ids of events above one, in growing order, MOST_IDS at most."""
        query = select(Event.seq).where(Event.seq > after, *whose.conditions())
        return list(self._session.scalars(query.order_by(Event.seq).limit(MOST_IDS)))

    def of_ids(self, ids: Sequence[int]) -> list[EventView]:
        """Some events, in the order of their ids."""
        query = select(Event).where(Event.seq.in_(ids)).order_by(Event.seq)
        return [_view(event) for event in self._session.scalars(query)]

    def append(self, job_id: str, kind: str, data: Mapping[str, Any], moment: datetime) -> None:
        """Add an event to this transaction. The caller holds the lock of the job's row."""
        self.append_all(kind, {job_id: data}, moment)

    def append_all(self, kind: str, told: Mapping[str, Mapping[str, Any]], moment: datetime) -> None:
        """The same for many jobs: what is told of each, by job."""
        self._session.add_all(
            Event(
                job_id=job_id,
                kind=kind,
                data={name: _finite(value) for name, value in data.items()},
                created_at=moment,
            )
            for job_id, data in told.items()
        )
        self._session.flush()
        if kind == "job_state" and told:
            self._outbox.jobs_entered(told, moment)


def _view(event: Event) -> EventView:
    return EventView(
        id=event.seq, job_id=event.job_id, kind=event.kind, data=event.data, created_at=event.created_at
    )


def _finite(value: Any) -> Any:
    """JSON has no infinities and no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
