"""What a running job writes goes through here, so that it ends as soon as another dispatcher has the job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from service.errors import StaleLeaseError
from service.store import Claim, Store, Unit
from service.views import LateKind


class Record:
    """The store as the holder of one claim may use it."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self.claim = claim
        self.stale = False
        self._store = store.within(claim.workspace)
        self._log = structlog.get_logger("bitfront.engine").bind(job=claim.job_id)

    @contextmanager
    def result(self, trial_id: str, what: LateKind) -> Iterator[Unit]:
        """A unit of work that stores a result; where the lease is stale, that it came late."""
        arrived = False
        with self.unit() as unit:
            yield unit
            arrived = True
        if not arrived:
            self._note_late(trial_id, what)

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

    def _note_late(self, trial_id: str, what: LateKind) -> None:
        """The attempt's own words, under the token that it had."""
        with self._store.unit() as unit:
            unit.incidents.late_result(
                self.claim.job_id,
                trial_id=trial_id,
                what=what,
                dispatcher=self.claim.owner,
                token=self.claim.token,
            )
