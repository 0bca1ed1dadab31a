"""Webhooks of a workspace: make, look up, test, enable and delete them, and read what was sent."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from models.errors import InvalidInputError
from service.errors import NotFoundError, WebhookDisabledError
from service.hooks.views import TEST_EVENT, DeliveryView, WebhookSpec, WebhookView
from service.store import cursors, ids
from service.store.outbox import new_delivery
from service.store.tables import Delivery, Webhook
from service.store.transaction import Repository
from service.views import Page

LISTING = "deliveries"
MOST_WEBHOOKS = 50
"""Of a workspace: each event is told to all of them."""


class WebhookRepository(Repository):
    """Webhooks as people see them."""

    def create(self, spec: WebhookSpec, *, sealed_secret: str) -> WebhookView:
        """Make a webhook. Raises InvalidInputError where the workspace has as many as it can have."""
        session = self._transaction.write()
        if self._count() >= MOST_WEBHOOKS:
            raise InvalidInputError(
                f"the workspace has {MOST_WEBHOOKS} webhooks already.", fix="Delete one that is not needed."
            )
        row = Webhook(
            id=ids.new_webhook_id(),
            url=spec.url,
            description=spec.description,
            events=list(dict.fromkeys(spec.events)),
            sealed_secret=sealed_secret,
            created_at=self._transaction.now(),
        )
        session.add(row)
        session.flush()
        return _view(row)

    def all(self) -> list[WebhookView]:
        """Every webhook, the oldest first."""
        return [_view(row) for row in self._session.scalars(select(Webhook).order_by(Webhook.seq))]

    def get(self, webhook_id: str) -> WebhookView:
        """A webhook. Raises NotFoundError."""
        return _view(self._require(webhook_id))

    def delete(self, webhook_id: str) -> None:
        """Take a webhook away with all that was and was to be sent to it. Raises NotFoundError."""
        row = self._locked(webhook_id)
        self._session.execute(delete(Delivery).where(Delivery.webhook_id == webhook_id))
        self._session.delete(row)
        self._session.flush()

    def enable(self, webhook_id: str) -> WebhookView:
        """Send to a webhook again from now on; one that is not disabled stays so. Raises NotFoundError."""
        row = self._locked(webhook_id)
        if row.disabled_at is not None:
            row.disabled_at, row.disabled_reason, row.failing_since = None, None, None
        self._session.flush()
        return _view(row)

    def test(self, webhook_id: str) -> DeliveryView:
        """Send a message that says nothing, once. Raises NotFoundError, WebhookDisabledError."""
        row = self._locked(webhook_id)
        if row.disabled_at is not None:
            raise WebhookDisabledError(
                "the webhook is disabled.", fix=f"Enable it first: bitfront webhooks enable {webhook_id}."
            )
        data = {"workspace": row.workspace_id, "webhook_id": row.id}
        sent = new_delivery(row, TEST_EVENT, data, self._transaction.now())
        self._session.add(sent)
        self._session.flush()
        return delivery_view(sent)

    def deliveries(self, webhook_id: str, *, limit: int, cursor: str | None) -> Page[DeliveryView]:
        """What was and is to be sent, newest first. Raises NotFoundError, or InvalidInputError."""
        self._require(webhook_id)
        below = cursors.start(LISTING, cursor)
        query = select(Delivery).where(Delivery.webhook_id == webhook_id, Delivery.seq < below)
        rows = self._session.scalars(
            query.order_by(Delivery.seq.desc()).limit(cursors.check_limit(limit) + 1)
        ).all()
        shown, more = cursors.split(LISTING, [(row.seq, row) for row in rows], limit)
        return Page[DeliveryView](items=[delivery_view(row) for row in shown], next_cursor=more)

    def _count(self) -> int:
        return (
            self._session.scalar(
                select(func.count())
                .select_from(Webhook)
                .where(Webhook.workspace_id == self._transaction.workspace)
            )
            or 0
        )

    def _require(self, webhook_id: str) -> Webhook:
        row = self._session.scalar(select(Webhook).where(Webhook.id == webhook_id))
        if row is None:
            raise NotFoundError(f"there is no webhook {webhook_id!r}.")
        return row

    def _locked(self, webhook_id: str) -> Webhook:
        self._transaction.write()
        query = select(Webhook).where(Webhook.id == webhook_id).with_for_update()
        row = self._session.scalar(query.execution_options(populate_existing=True))
        return row or self._require(webhook_id)


def delivery_view(row: Delivery) -> DeliveryView:
    """A message as people see it."""
    return DeliveryView.model_validate({name: getattr(row, name) for name in DeliveryView.model_fields})


def _view(row: Webhook) -> WebhookView:
    return WebhookView.model_validate({name: getattr(row, name) for name in WebhookView.model_fields})
