"""Tells the store that a dispatcher lives, and what it knows of its Ray, for as long as it does.

Ray is asked in a thread of its own: where it is gone, an answer may take minutes, and the store is told
meanwhile how old the last one is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from service.store import Store
from service.store.queue import Presence

BEATS_PER_LEASE = 3
LONGEST_PAUSE = 5.0

AskRay = Callable[[], Mapping[str, Any]]
"""What Ray says of itself, as `service.queue.views.RayView` has it."""


class Present:
    """A context in which a dispatcher is on the list of those that live."""

    def __init__(self, store: Store, me: Presence, *, ask: AskRay) -> None:
        self._store = store
        self._me = me
        self._pause = min(me.lease_seconds / BEATS_PER_LEASE, LONGEST_PAUSE)
        self._ask = ask
        self._answer: tuple[float, Mapping[str, Any]] | None = None
        self._failure = ""
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=(work,), name=name, daemon=True)
            for work, name in ((self._beat, "presence"), (self.look, "ray-watch"))
        ]
        self._log = structlog.get_logger("bitfront.presence")

    def has_nodes(self) -> bool:
        """Whether trials could run on any node, as of Ray's last answer."""
        return self._answer is not None and self._answer[1]["cpus"] > 0

    def look(self) -> None:
        """Ask Ray now, and remember its answer."""
        try:
            self._answer, self._failure = (time.monotonic(), self._ask()), ""
        except Exception as failure:  # whatever Ray raises: the age of its last answer tells
            if str(failure) != self._failure:  # said once, not at every beat
                self._failure = str(failure)
                self._log.warning("Ray does not answer", error=self._failure)

    def __enter__(self) -> Present:
        self.look()
        self._beat()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._threads[0].join()
        try:
            with self._store.unit() as unit:
                unit.queue.leave(self._me.id)
        except SQLAlchemyError as failure:
            self._log.warning("the dispatcher could not sign off", error=str(failure))

    def _every(self, work: Callable[[], None]) -> None:
        while not self._done.wait(self._pause):
            work()

    def _beat(self) -> None:
        at, ray = self._answer or (0.0, None)
        try:
            with self._store.unit() as unit:
                unit.queue.beat(replace(self._me, ray=ray, ray_age=time.monotonic() - at))
        except SQLAlchemyError as failure:
            self._log.warning("the database cannot be told that the dispatcher lives", error=str(failure))
