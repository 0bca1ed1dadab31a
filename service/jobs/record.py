"""What a running job writes goes through here, so that it ends as soon as another dispatcher has the job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from service.errors import StaleLeaseError
from service.store import Claim, Store, Unit


class Record:
    """The store as the holder of one claim may use it."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self.claim = claim
        self.stale = False
        self._store = store.within(claim.workspace)
        self._log = structlog.get_logger("bitfront.engine").bind(job=claim.job_id)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A unit of work. A stale lease leaves it at once, stores nothing of it and sets `stale`."""
        try:
            with self._store.unit() as unit:
                yield unit
        except StaleLeaseError as error:
            if not self.stale:
                self._log.warning("the job was taken over; late results are rejected", error=str(error))
            self.stale = True
