"""The event stream of a job: what happened, in the order in which readers see it.

Whoever appends holds the lock of the job's row (or is its submitter), so the ids of one job's events grow in
the order of their commits: a reader that has seen an id never misses a smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service.store.cursors import check_limit
from service.store.outbox import Outbox
from service.store.tables import Event
from service.store.transaction import Repository, Transaction
from service.views import EventView


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
