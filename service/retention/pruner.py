"""Prunes from a thread of the service, now and then."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models.errors import StorageError
from service.retention.pruning import prune
from service.retention.rule import rule_of
from service.settings import Settings
from service.store import Store

FIRST_SECONDS = 60.0
PAUSE_SECONDS = 3600.0


class Pruner:
    """Several may run, one per process that serves: they take turns at each trial."""

    def __init__(self, settings: Settings, store: Store, *, stop: threading.Event) -> None:
        self._settings = settings
        self._store = store
        self._stop = stop
        self._log = structlog.get_logger("bitfront.retention")

    def work(self) -> None:
        """Prune until told to stop."""
        pause = FIRST_SECONDS
        while not self._stop.wait(pause):
            self.once()
            pause = PAUSE_SECONDS

    def once(self) -> None:
        """Prune; what cannot be reached now is tried again the next time."""
        try:
            found = prune(self._store, self._settings.checkpoint_place, rule_of(self._settings))
        except (StorageError, SQLAlchemyError) as error:
            self._log.warning("checkpoints could not be pruned", error=str(error))
        else:
            self._log.info("checkpoints pruned", files=found.files, bytes=found.removed_bytes)
