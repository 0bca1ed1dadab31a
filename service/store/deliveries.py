"""Taking up messages that are due and noting what came of them; all times are the database's.

A message that is taken up is due again when its lease is over. So a sender that is killed loses none, and one
that was only slow may let a message be sent twice: under the same id, by which the receiver tells.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, delete, select, update

from service.hooks.posting import Answer
from service.hooks.schedule import DISABLED_AFTER, next_attempt
from service.hooks.views import TEST_EVENT
from service.store.tables import Delivery, Webhook
from service.store.transaction import Repository

Row = TypeVar("Row", Delivery, Webhook)
KEPT = timedelta(days=30)
"""How long what became of a message can be read."""
GONE = 410
"""By this status a receiver says that it wants no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """A message that somebody has taken up."""

    id: str
    webhook_id: str
    url: str
    body: str
    sealed_secret: str = field(repr=False)
    token: int
    moment: datetime


class DeliveryRepository(Repository):
    """For the sender: over all workspaces."""

    def take(self, *, lease_seconds: float, but: Collection[str] = ()) -> Errand | None:
        """Take up the message that has been due longest, of any webhook `but` some; None where none is."""
        due = _due(self._transaction.now(), but)
        if self._session.scalar(select(Delivery.id).where(due).limit(1)) is None:
            return None  # asked without the right to write, which on SQLite is one process's at a time
        session, now = self._transaction.write(), self._transaction.now()
        found = session.execute(
            select(Delivery, Webhook)
            .join(Webhook, Webhook.id == Delivery.webhook_id)
            .where(_due(now, but))
            .order_by(Delivery.next_attempt_at, Delivery.seq)
            .limit(1)
            .with_for_update(skip_locked=True, of=Delivery)
        ).one_or_none()
        if found is None:
            return None
        row, webhook = found
        row.lease_token += 1
        row.next_attempt_at = now + timedelta(seconds=lease_seconds)
        session.flush()
        return Errand(
            id=row.id,
            webhook_id=webhook.id,
            url=webhook.url,
            body=row.body,
            sealed_secret=webhook.sealed_secret,
            token=row.lease_token,
            moment=now,
        )

    def note(self, errand: Errand, answer: Answer, *, seconds: float) -> bool:
        """Store what came of an errand and what follows; whether it still counted."""
        session, now = self._transaction.write(), self._transaction.now()
        webhook = session.scalar(_locked(Webhook, errand.webhook_id))  # first, as whoever deletes it does
        row = session.scalar(_locked(Delivery, errand.id))
        if webhook is None or row is None or row.state != "waiting" or row.lease_token != errand.token:
            return False
        tried = {"at": now.isoformat(), "status": answer.status, "reason": answer.reason}
        row.attempts = [*row.attempts, {**tried, "seconds": round(seconds, 3)}]
        if answer.accepted:
            row.state, row.ended_at, row.next_attempt_at = "delivered", now, None
            webhook.failing_since = None
        else:
            self._failed(row, webhook, answer, now)
        session.flush()
        return True

    def forget(self) -> None:
        """Drop messages that ended long ago."""
        session, before = self._transaction.write(), self._transaction.now() - KEPT
        session.execute(delete(Delivery).where(Delivery.state != "waiting", Delivery.ended_at < before))

    def _failed(self, row: Delivery, webhook: Webhook, answer: Answer, now: datetime) -> None:
        webhook.failing_since = webhook.failing_since or now
        attempts = len(row.attempts)
        again = next_attempt(attempts=attempts, created=row.created_at, now=now)
        row.next_attempt_at = None if row.event == TEST_EVENT else again
        if row.next_attempt_at is not None and answer.status != GONE:
            return
        row.state, row.ended_at, row.next_attempt_at = "failed", now, None
        if answer.status == GONE:
            self._disable(webhook, "the receiver answered 410: it wants no more", now)
        elif row.event != TEST_EVENT and now - webhook.failing_since >= DISABLED_AFTER:
            self._disable(webhook, f"nothing got through for {DISABLED_AFTER.days} days", now)

    def _disable(self, webhook: Webhook, reason: str, now: datetime) -> None:
        """What waits for it ends with it."""
        webhook.disabled_at, webhook.disabled_reason = now, reason
        self._session.execute(
            update(Delivery)
            .where(Delivery.webhook_id == webhook.id, Delivery.state == "waiting")
            .values(state="failed", ended_at=now, next_attempt_at=None)
            .execution_options(synchronize_session=False)
        )


def _due(now: datetime, but: Collection[str]) -> ColumnElement[bool]:
    return and_(
        Delivery.state == "waiting", Delivery.next_attempt_at <= now, Delivery.webhook_id.not_in(list(but))
    )


def _locked(kind: type[Row], row_id: str) -> Select[Row]:
    query = select(kind).where(kind.id == row_id).with_for_update()
    return query.execution_options(populate_existing=True)
