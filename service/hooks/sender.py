"""Sends what the outbox holds: a loop that takes up messages, and a few workers that post them.

Several senders may work on one store; a message is with one of them at a time (`service.store.deliveries`).
A webhook is sent one message at a time, so a receiver that hangs keeps one worker busy and no other webhook
waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import OperationalError

from models.errors import BitfrontError
from service.hooks.addresses import AddressRules
from service.hooks.posting import Answer, post
from service.hooks.secrets import SecretBox, signed_headers
from service.settings import Settings
from service.store import Errand, Store

Post = Callable[[str, str, Mapping[str, str], AddressRules], Answer]
POLL_SECONDS = 0.5
LEASE_SECONDS = 60.0
"""More than resolving a name and posting can take together."""
WORKERS = 8
FORGET_SECONDS = 3600.0


class Sender:
    """Works until it is told to stop; then it lets what is under way end."""

    def __init__(self, settings: Settings, store: Store, *, stop: threading.Event, send: Post = post) -> None:
        self._settings = settings
        self._store = store
        self._stop = stop
        self._send = send
        self._rules = AddressRules.of(settings)
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._forgot_at = -FORGET_SECONDS
        self._log = structlog.get_logger("bitfront.webhooks")

    def work(self) -> None:
        """Take up and send messages until told to stop."""
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="webhooks") as pool:
            while not self._stop.is_set():
                errand = self._take() if len(self._busy) < WORKERS else None
                if errand is None:
                    self._stop.wait(POLL_SECONDS)
                else:
                    self._enter(errand)
                    pool.submit(self._run, errand)

    def work_once(self) -> bool:
        """Take up one message and send it; whether there was one."""
        errand = self._take()
        if errand is None:
            return False
        self._enter(errand)
        self._run(errand)
        return True

    def _take(self) -> Errand | None:
        with self._lock:
            busy = tuple(self._busy)
        try:
            with self._store.unit() as unit:
                self._forget(unit.deliveries.forget)
                return unit.deliveries.take(lease_seconds=LEASE_SECONDS, but=busy)
        except OperationalError as error:
            self._log.warning("the database cannot be reached", error=str(error))
            return None

    def _forget(self, forget: Callable[[], None]) -> None:
        if time.monotonic() - self._forgot_at >= FORGET_SECONDS:
            forget()
            self._forgot_at = time.monotonic()

    def _run(self, errand: Errand) -> None:
        """Whatever goes wrong in it, the message is due again when its lease is over."""
        try:
            began = time.monotonic()
            answer = self._post(errand)
            self._note(errand, answer, time.monotonic() - began)
        except Exception:
            self._log.exception("a message was not sent", delivery=errand.id)
        finally:
            with self._lock:
                self._busy.discard(errand.webhook_id)

    def _post(self, errand: Errand) -> Answer:
        try:
            secret = SecretBox.of(self._settings).open(errand.sealed_secret)
        except BitfrontError as error:
            return Answer(status=None, reason=str(error))
        headers = signed_headers(secret, message=errand.id, moment=errand.moment, body=errand.body)
        return self._send(errand.url, errand.body, headers, self._rules)

    def _note(self, errand: Errand, answer: Answer, seconds: float) -> None:
        with self._store.unit() as unit:
            counted = unit.deliveries.note(errand, answer, seconds=seconds)
        self._log.info(
            "message sent" if answer.accepted else "message not accepted",
            delivery=errand.id,
            webhook=errand.webhook_id,
            status=answer.status,
            counted=counted,
        )

    def _enter(self, errand: Errand) -> None:
        with self._lock:
            self._busy.add(errand.webhook_id)
