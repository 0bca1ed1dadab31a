"""The sender: what is signed and how, that receivers can check it, and that nothing of it is lost."""

from __future__ import annotations

import json
import runpy
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from service.hooks.posting import Answer
from service.hooks.schedule import GIVEN_UP_AFTER, LONGEST, next_attempt
from service.hooks.secrets import SecretBox, SecretUnreadableError, new_secret, signed_headers
from service.hooks.sender import Sender
from service.hooks.views import WebhookSpec
from service.settings import Settings
from service.store import Store
from tests.unit.service.hooks.receiver import receiver

PAGE: dict[str, Any] = {"limit": 100, "cursor": None}


@pytest.fixture
def hooked(settings: Settings) -> Settings:
    """Settings that let webhooks reach this machine."""
    return settings.model_copy(update={"webhook_networks": "127.0.0.1"})


def hook(store: Store, settings: Settings, url: str) -> tuple[str, str]:
    """The id and the secret of a new webhook."""
    secret = new_secret()
    with store.within("default").unit() as unit:
        made = unit.webhooks.create(WebhookSpec(url=url), sealed_secret=SecretBox.of(settings).seal(secret))
        unit.webhooks.test(made.id)
    return made.id, secret


def sender(settings: Settings, store: Store, **parts: Any) -> Sender:
    return Sender(settings, store, stop=threading.Event(), **parts)


def attempts(store: Store, webhook: str) -> list[Any]:
    with store.unit() as unit:
        return [one for sent in unit.webhooks.deliveries(webhook, **PAGE).items for one in sent.attempts]


def test_a_receiver_verifies_what_was_sent_and_nothing_else(api_store: Store, hooked: Settings) -> None:
    with receiver() as one:
        webhook, secret = hook(api_store, hooked, one.url)
        assert sender(hooked, api_store).work_once()
        assert not sender(hooked, api_store).work_once()
        headers, body = one.got[0]
    found = Verifier(secret).verify(body, headers)
    assert found == json.loads(body)
    assert found["type"] == "webhook.test"
    for wrong, sent in ((secret, body + b" "), (new_secret(), body)):
        with pytest.raises(WebhookVerificationError):
            Verifier(wrong).verify(sent, headers)
    assert [(tried.status, tried.reason) for tried in attempts(api_store, webhook)] == [(204, "accepted")]


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks."""
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        moment=datetime.fromtimestamp(1614265330, UTC),
        body='{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_that_hangs_keeps_no_other_webhook_waiting(api_store: Store, hooked: Settings) -> None:
    slow, done = threading.Event(), []

    def send(url: str, *_: object) -> Answer:
        if "slow" in url:
            slow.wait(20)
        done.append(url)
        return Answer(status=204, reason="accepted")

    hook(api_store, hooked, "http://127.0.0.1/slow")
    with api_store.within("default").unit() as unit:
        unit.webhooks.test(unit.webhooks.all()[0].id)  # a second message to the same
    hook(api_store, hooked, "http://127.0.0.1/fast")
    working = sender(hooked, api_store, send=send)
    thread = threading.Thread(target=working.work)
    thread.start()
    try:
        wait_until(lambda: len(done) == 1)
        assert done == ["http://127.0.0.1/fast"]
        slow.set()
        wait_until(lambda: len(done) == 3)
    finally:
        slow.set()
        working._stop.set()
        thread.join()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_sender_outlives_what_goes_wrong_with_one_message(api_store: Store, hooked: Settings) -> None:
    def broken(*_: object) -> Answer:
        raise RuntimeError("a mistake of ours")

    webhook, _ = hook(api_store, hooked, "http://127.0.0.1/")
    assert sender(hooked, api_store, send=broken).work_once()
    with api_store.unit() as unit:
        assert (
            unit.webhooks.deliveries(webhook, **PAGE).items[0].state == "waiting"
        )  # until its lease is over


def test_a_secret_of_another_key_is_told_and_not_sent(api_store: Store, hooked: Settings) -> None:
    webhook, _ = hook(api_store, hooked, "http://127.0.0.1/")
    hooked.webhook_key_file.unlink()
    assert sender(hooked, api_store, send=lambda *_: pytest.fail("it was sent")).work_once()
    assert "another key" in attempts(api_store, webhook)[0].reason


def test_secrets_are_sealed_by_the_setting_or_by_a_file_that_its_owner_alone_reads(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    secret = new_secret()
    sealed = SecretBox.of(settings).seal(secret)
    assert secret not in sealed
    assert SecretBox.of(settings).open(sealed) == secret
    assert settings.webhook_key_file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [settings.webhook_key_file]
    given = Settings(home=tmp_path, webhook_key=settings.webhook_key_file.read_text())
    assert SecretBox.of(given).open(sealed) == secret
    assert given.webhook_key not in repr(given)
    other = Settings(home=tmp_path, webhook_key="A" * 43 + "=")
    with pytest.raises(SecretUnreadableError):
        SecretBox.of(other).open(sealed)


def test_pauses_grow_fourfold_to_four_hours_and_end_within_a_day() -> None:
    created = now = datetime(2026, 1, 1, tzinfo=UTC)
    pauses: list[timedelta] = []
    while (after := next_attempt(attempts=len(pauses) + 1, created=created, now=now)) is not None:
        pauses.append(after - now)
        now = after
    assert GIVEN_UP_AFTER - timedelta(hours=5) < now - created <= GIVEN_UP_AFTER
    assert 11 <= len(pauses) <= 14
    for number, pause in enumerate(pauses):
        usual = min(timedelta(seconds=5 * 4**number), LONGEST)
        assert 0.8 * usual <= pause <= 1.2 * usual


def test_the_receiver_of_the_documentation_believes_what_is_signed_and_acts_once(
    api_store: Store, hooked: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = runpy.run_path(str(Path(__file__).parents[4] / "docs" / "webhook_receiver.py"))
    server = HTTPServer(("127.0.0.1", 0), module["Receiver"])
    monkeypatch.setattr(module["Receiver"], "log_message", lambda *_: None)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        webhook, secret = hook(api_store, hooked, f"http://127.0.0.1:{server.server_address[1]}/")
        monkeypatch.setenv("WEBHOOK_SECRET", secret)
        with api_store.unit() as unit:
            first = unit.deliveries.take(lease_seconds=0)  # sent, and then its sender died
        assert first is not None
        sender(hooked, api_store)._post(first)
        assert sender(hooked, api_store).work_once()
        monkeypatch.setenv("WEBHOOK_SECRET", new_secret())
        with api_store.within("default").unit() as unit:
            unit.webhooks.test(webhook)
        assert sender(hooked, api_store).work_once()
    finally:
        server.shutdown()
        server.server_close()
    assert [tried.status for tried in attempts(api_store, webhook)] == [401, 204]
    assert capsys.readouterr().out.count("webhook.test") == 1
