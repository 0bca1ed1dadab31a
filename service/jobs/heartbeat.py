"""Renews the lease of a job or a rerun from a thread of its own while it runs."""

from __future__ import annotations

import threading
from types import TracebackType

import structlog
from sqlalchemy.exc import OperationalError

from service.errors import StaleLeaseError
from service.store import Claim, Store, Unit
from service.store.reruns import RerunClaim

RENEWALS_PER_LEASE = 3


class Heartbeat:
    """A context in which a claim stays valid; `lost` is set once another dispatcher holds what it is of."""

    def __init__(self, store: Store, claim: Claim | RerunClaim) -> None:
        self.lost = threading.Event()
        self._store = store
        self._claim = claim
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        trace_id = claim.trace_id if isinstance(claim, Claim) else None
        about = {"claim": claim.name, "trace_id": trace_id}
        self._log = structlog.get_logger("bitfront.heartbeat").bind(**about)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self.lost.is_set() and not self._done.wait(self._claim.lease_seconds / RENEWALS_PER_LEASE):
            self._renew()

    def _renew(self) -> None:
        try:
            with self._store.unit() as unit:
                _renew(unit, self._claim)
        except StaleLeaseError:
            self.lost.set()
        except OperationalError as error:
            # The next beat tries again; should the lease run out meanwhile, its token decides.
            self._log.warning("the lease could not be renewed", error=str(error))


def _renew(unit: Unit, claim: Claim | RerunClaim) -> None:
    if isinstance(claim, RerunClaim):
        unit.reruns.renew(claim)
    else:
        unit.jobs.renew(claim)
