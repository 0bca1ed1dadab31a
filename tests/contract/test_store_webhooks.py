"""What the store promises of webhooks, on SQLite and PostgreSQL alike: told with the event, never lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from service.errors import NotFoundError, WebhookDisabledError
from service.hooks.posting import Answer
from service.hooks.schedule import DISABLED_AFTER, GIVEN_UP_AFTER
from service.hooks.views import EVENT_NAMES, WebhookSpec
from service.store import Errand, Store
from service.store.engine import open_engine
from service.store.schema import downgrade, migrate
from service.store.tables import Delivery, Webhook

URL = "https://hooks.example.org/in"
PAGE: dict[str, Any] = {"limit": 100, "cursor": None}
ACCEPTED = Answer(status=204, reason="accepted")
REFUSED = Answer(status=500, reason="refused by the receiver")


def hook(store: Store, **fields: Any) -> str:
    with store.unit() as unit:
        return unit.webhooks.create(WebhookSpec(url=URL, **fields), sealed_secret="sealed").id


def submit(store: Store, spec: Any) -> str:
    with store.unit() as unit:
        return unit.jobs.submit(spec, trials_planned=3, plan={}, idempotency_key=None)[0].id


def sent(store: Store, webhook: str) -> list[Any]:
    """What was and is to be sent, the oldest first."""
    with store.unit() as unit:
        return unit.webhooks.deliveries(webhook, **PAGE).items[::-1]


def take(store: Store, lease: float = 60.0) -> Errand | None:
    with store.unit() as unit:
        return unit.deliveries.take(lease_seconds=lease)


def note(store: Store, errand: Errand, answer: Answer) -> bool:
    with store.unit() as unit:
        return unit.deliveries.note(errand, answer, seconds=0.1)


def test_a_job_tells_the_webhooks_of_its_workspace_what_they_ask_for(store, job_spec):
    with store.unit() as unit:
        unit.workspaces.create("red")
        unit.workspaces.create("blue")
    red, blue = store.within("red"), store.within("blue")
    ends, every, foreign = hook(red), hook(red, events=list(EVENT_NAMES)), hook(blue)
    job_id = submit(red, job_spec())
    with store.unit() as unit:  # the dispatcher's, of no workspace
        claim = unit.jobs.claim("test", 60)
        unit.jobs.finish(claim, "failed", "it broke")
    assert [one.event for one in sent(red, every)] == ["job.queued", "job.running", "job.failed"]
    assert [one.event for one in sent(red, ends)] == ["job.failed"]
    assert sent(blue, foreign) == []
    errand = [take(store) for _ in range(4)][-1]
    told = json.loads(errand.body)
    assert told["data"] == {
        "id": job_id, "name": "small", "workspace": "red", "state": "failed", "error": "it broke",
    }  # fmt: skip
    assert told["type"] == "job.failed"
    assert told["timestamp"].endswith("Z")


def test_a_message_is_stored_with_its_event_or_not_at_all(store, job_spec):
    webhook = hook(store, events=["job.queued"])

    def submit_and_die() -> None:
        with store.unit() as unit:
            unit.jobs.submit(job_spec(), trials_planned=3, plan={}, idempotency_key=None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        submit_and_die()
    assert sent(store, webhook) == []
    submit(store, job_spec())
    assert [one.state for one in sent(store, webhook)] == ["waiting"]


def test_what_was_taken_up_by_a_sender_that_died_is_due_again_under_the_same_id(store, job_spec):
    webhook = hook(store, events=["job.queued"])
    submit(store, job_spec())
    first = take(store, lease=0.0)
    second = take(store)
    assert (second.id, second.body, second.token) == (first.id, first.body, first.token + 1)
    assert take(store) is None  # while the lease lasts
    assert not note(store, first, REFUSED)  # late
    assert note(store, second, ACCEPTED)
    assert not note(store, second, REFUSED)  # a second time
    only = sent(store, webhook)[0]
    assert (only.state, only.next_attempt_at) == ("delivered", None)
    assert [(one.status, one.reason) for one in only.attempts] == [(204, "accepted")]
    assert take(store) is None
    age(store, Delivery, "ended_at", timedelta(days=31))
    submit(store, job_spec())
    with store.unit() as unit:
        unit.deliveries.forget()  # what ended a month ago
    assert [one.state for one in sent(store, webhook)] == ["waiting"]
    with store.unit() as unit:
        assert unit.deliveries.take(lease_seconds=60, but=[webhook]) is None  # one message at a time


def test_a_message_is_tried_for_a_day_and_the_webhook_disabled_after_three(store, job_spec):
    webhook = hook(store, events=["job.queued"])
    submit(store, job_spec())
    errand = take(store)
    note(store, errand, REFUSED)
    waiting = sent(store, webhook)[0]
    pause = waiting.next_attempt_at - waiting.attempts[0].at
    assert (waiting.state, timedelta(seconds=4) <= pause <= timedelta(seconds=6)) == ("waiting", True)
    age(store, Delivery, "created_at", GIVEN_UP_AFTER)
    age(store, Delivery, "next_attempt_at", timedelta(hours=1))
    submit(store, job_spec())  # waits
    note(store, take(store), REFUSED)
    assert [one.state for one in sent(store, webhook)] == ["failed", "waiting"]
    with store.unit() as unit:
        found = unit.webhooks.get(webhook)
        assert (found.disabled_at, found.failing_since is not None) == (None, True)
    age(store, Webhook, "failing_since", DISABLED_AFTER)
    age(store, Delivery, "created_at", GIVEN_UP_AFTER)
    submit(store, job_spec())
    note(store, take(store), REFUSED)
    assert [one.state for one in sent(store, webhook)] == ["failed"] * 3  # what waited ended with it
    with store.unit() as unit:
        assert unit.webhooks.get(webhook).disabled_reason == "nothing got through for 3 days"
        with pytest.raises(WebhookDisabledError):
            unit.webhooks.test(webhook)
    submit(store, job_spec())
    assert len(sent(store, webhook)) == 3
    with store.unit() as unit:
        assert unit.webhooks.enable(webhook).failing_since is None
    submit(store, job_spec())
    assert len(sent(store, webhook)) == 4


def age(store: Store, kind: Any, column: str, by: timedelta) -> None:
    """Let something have happened earlier."""
    with store.unit() as unit:
        session = unit.deliveries._transaction.write()
        rows = session.query(kind).filter(getattr(kind, column).is_not(None)).all()
        for row in rows:
            moved = {column: getattr(row, column) - by}
            session.execute(update(kind).where(kind.seq == row.seq).values(**moved))


def test_a_test_is_sent_once_gone_ends_it_all_and_deleting_takes_what_waits_along(store, job_spec):
    webhook = hook(store, events=["job.queued"])
    for answer in (REFUSED, ACCEPTED, Answer(status=410, reason="refused by the receiver")):
        with store.unit() as unit:
            unit.webhooks.test(webhook)
        note(store, take(store), answer)
        with store.unit() as unit:
            found = unit.webhooks.get(webhook)
        assert (found.failing_since is None) == (answer is ACCEPTED)
    states = [(one.event, one.state) for one in sent(store, webhook)]
    assert states == [("webhook.test", state) for state in ("failed", "delivered", "failed")]
    assert "410" in found.disabled_reason
    with store.unit() as unit:
        unit.webhooks.enable(webhook)
    submit(store, job_spec())
    errand = take(store)
    with store.unit() as unit:
        unit.webhooks.delete(webhook)
    assert not note(store, errand, ACCEPTED)  # late
    with store.unit() as unit, pytest.raises(NotFoundError):
        unit.webhooks.get(webhook)


def test_a_database_of_the_form_before_webhooks_keeps_its_jobs_there_and_back(database_url, job_spec):
    engine = open_engine(database_url)
    migrate(engine, to="0007")
    before = _tables(engine)
    store = Store(engine)
    store.migrate()
    job_id = submit(store, job_spec())
    downgrade(engine, to="0007")
    assert _tables(engine) == before
    store.migrate()
    with store.unit() as unit:
        assert unit.jobs.get(job_id).state == "queued"
        assert unit.webhooks.all() == []
    store.close()


def _tables(engine: Any) -> set[str]:
    from sqlalchemy import inspect

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return set(inspect(engine).get_table_names())
