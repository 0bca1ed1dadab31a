"""Reruns of points: asked for, taken up under a lease, and ended with what came out.

The lease is that of jobs (`leases`): each claim raises the fencing token, and a late write changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, or_, select

from service.errors import NotFoundError, StaleLeaseError
from service.reruns.views import RerunView
from service.store import ids
from service.store.outbox import Outbox
from service.store.quotas import QuotaRepository
from service.store.tables import Point, Rerun
from service.store.transaction import Repository, Transaction

GOING = ("queued", "running")


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunClaim:
    """The right to write to a rerun, as `leases.Claim` is to a job."""

    rerun_id: str
    point_id: str
    token: int
    lease_seconds: float

    @property
    def name(self) -> str:
        """What logs call it."""
        return self.rerun_id


class RerunRepository(Repository):
    """Reruns as people see them, and their leases. What takes a claim raises StaleLeaseError."""

    def __init__(self, transaction: Transaction, outbox: Outbox, quotas: QuotaRepository) -> None:
        super().__init__(transaction)
        self._outbox = outbox
        self._quotas = quotas

    def submit(self, point_id: str) -> tuple[RerunView, bool]:
        """Ask for a rerun; (rerun, True), or (the one of this point that has not ended yet, False).

        Raises NotFoundError and QuotaExceededError.
        """
        session = self._transaction.write()
        if session.scalar(select(Point.id).where(Point.id == point_id).with_for_update()) is None:
            raise NotFoundError(f"there is no point {point_id!r}.")
        going = session.scalar(select(Rerun).where(Rerun.point_id == point_id, Rerun.state.in_(GOING)))
        if going is not None:
            return _view(going), False
        self._quotas.require_room(trials=1)
        row = Rerun(
            id=ids.new_rerun_id(), point_id=point_id, state="queued", created_at=self._transaction.now()
        )
        session.add(row)
        session.flush()
        return _view(row), True

    def get(self, rerun_id: str) -> RerunView:
        """A rerun. Raises NotFoundError."""
        row = self._session.scalar(select(Rerun).where(Rerun.id == rerun_id))
        if row is None:
            raise NotFoundError(f"there is no rerun {rerun_id!r}.")
        return _view(row)

    def of_point(self, point_id: str, *, limit: int = 20) -> list[RerunView]:
        """The reruns of a point, newest first. Raises NotFoundError."""
        if self._session.scalar(select(Point.id).where(Point.id == point_id)) is None:
            raise NotFoundError(f"there is no point {point_id!r}.")
        query = select(Rerun).where(Rerun.point_id == point_id).order_by(Rerun.seq.desc()).limit(limit)
        return [_view(row) for row in self._session.scalars(query)]

    def claim(self, owner: str, lease_seconds: float) -> RerunClaim | None:
        """Take up the oldest rerun that waits, or whose lease ran out; None where there is none."""
        now = self._transaction.now()
        query = select(Rerun).where(
            or_(Rerun.state == "queued", (Rerun.state == "running") & (Rerun.lease_expires_at <= now))
        )
        if self._session.scalar(query.limit(1)) is None:
            return None
        self._transaction.write()
        row = self._session.scalar(query.order_by(Rerun.seq).limit(1).with_for_update(skip_locked=True))
        if row is None:
            return None
        row.state, row.started_at = "running", row.started_at or now
        row.lease_owner, row.lease_token = owner, row.lease_token + 1
        row.lease_expires_at = now + timedelta(seconds=lease_seconds)
        self._session.flush()
        return RerunClaim(
            rerun_id=row.id, point_id=row.point_id, token=row.lease_token, lease_seconds=lease_seconds
        )

    def renew(self, claim: RerunClaim) -> None:
        """Extend the lease by its length from now."""
        row = self._hold(claim)
        row.lease_expires_at = self._transaction.now() + timedelta(seconds=claim.lease_seconds)
        self._session.flush()

    def release(self, claim: RerunClaim) -> None:
        """Give it back, to be taken up again."""
        row = self._hold(claim)
        row.state, row.lease_owner, row.lease_expires_at = "queued", None, None
        self._session.flush()

    def epoch(self, claim: RerunClaim, epochs_done: int) -> None:
        """Note how far it is."""
        self._hold(claim).epochs_done = epochs_done
        self._session.flush()

    def finish(self, claim: RerunClaim, result: Mapping[str, Any]) -> None:
        """End it with what came out: `same`, `same_weights` and `measures` of RerunView."""
        self._end(self._hold(claim), "succeeded", dict(result), None)

    def fail(self, claim: RerunClaim, error: str) -> None:
        """End it without a result."""
        self._end(self._hold(claim), "failed", None, error)

    def _end(self, row: Rerun, state: str, result: dict[str, Any] | None, error: str | None) -> None:
        now = self._transaction.now()
        row.state, row.result, row.error, row.finished_at = state, result, error, now
        row.lease_owner, row.lease_expires_at = None, None
        self._session.flush()
        same = None if result is None else result["same"]
        told = {"id": row.id, "point_id": row.point_id, "state": state, "error": error, "same": same}
        self._outbox.tell(row.workspace_id, f"rerun.{state}", told, now)

    def _hold(self, claim: RerunClaim) -> Rerun:
        self._transaction.write()
        row = self._session.scalar(_locked(claim.rerun_id))
        if row is None or row.lease_token != claim.token or row.state != "running":
            raise StaleLeaseError(f"the lease on {claim.rerun_id} is no longer valid.")
        return row


def _locked(rerun_id: str) -> Select[Rerun]:
    query = select(Rerun).where(Rerun.id == rerun_id).with_for_update()
    return query.execution_options(populate_existing=True)


def _view(row: Rerun) -> RerunView:
    names = set(RerunView.model_fields) - {"same", "same_weights", "measures"}
    result = row.result or {"same": None, "same_weights": None, "measures": []}
    return RerunView.model_validate({**{name: getattr(row, name) for name in names}, **result})
