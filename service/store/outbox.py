"""What webhooks are to be told, stored in the transaction of the event itself: both are there, or neither is.

A message is sent later, by whoever takes it up (`deliveries`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service.store import ids
from service.store.tables import Delivery, Job, Webhook
from service.store.transaction import Repository


class Outbox(Repository):
    """Puts messages in."""

    def jobs_entered(self, told: Mapping[str, Mapping[str, Any]], moment: datetime) -> None:
        """Jobs have entered a state: {job: {"state", "error"}}. The caller holds the locks of their rows."""
        columns = (Job.id, Job.name, Job.workspace_id)
        query = select(*columns, Webhook).join(Webhook, Webhook.workspace_id == Job.workspace_id)
        found = self._session.execute(
            query.where(Job.id.in_(list(told)), Webhook.disabled_at.is_(None))
            .order_by(Job.seq, Webhook.seq)
            .with_for_update(read=True, key_share=True, of=Webhook)  # none is deleted before this is stored
        ).all()
        for job_id, name, workspace, webhook in found:
            event = f"job.{told[job_id]['state']}"
            data = {"id": job_id, "name": name, "workspace": workspace, **told[job_id]}
            self._put([webhook], event, data, moment)
        self._session.flush()

    def tell(self, workspace: str, event: str, data: Mapping[str, Any], moment: datetime) -> None:
        """Something has happened in a workspace."""
        query = select(Webhook).where(Webhook.workspace_id == workspace, Webhook.disabled_at.is_(None))
        found = self._session.scalars(query.order_by(Webhook.seq).with_for_update(read=True, key_share=True))
        self._put(found, event, {"workspace": workspace, **data}, moment)
        self._session.flush()

    def _put(
        self, webhooks: Iterable[Webhook], event: str, data: Mapping[str, Any], moment: datetime
    ) -> None:
        self._session.add_all(
            new_delivery(webhook, event, data, moment) for webhook in webhooks if event in webhook.events
        )


def new_delivery(webhook: Webhook, event: str, data: Mapping[str, Any], moment: datetime) -> Delivery:
    """A message to one webhook, due at once; its text is what will be signed, each time the same."""
    body = {"type": event, "timestamp": moment.isoformat().replace("+00:00", "Z"), "data": dict(data)}
    return Delivery(
        id=ids.new_delivery_id(),
        workspace_id=webhook.workspace_id,
        webhook_id=webhook.id,
        event=event,
        body=json.dumps(body, ensure_ascii=False),
        state="waiting",
        created_at=moment,
        next_attempt_at=moment,
        attempts=[],
    )
