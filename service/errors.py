"""What the store refuses: things that are not there, clash, or are no longer the caller's to change."""

from __future__ import annotations

from models.errors import BitfrontError


class NotFoundError(BitfrontError):
    """There is nothing under the id that was asked for."""

    code = "not_found"


class ConflictError(BitfrontError):
    """The request clashes with what is stored already."""

    code = "idempotency_conflict"


class StaleLeaseError(BitfrontError):
    """Another dispatcher has taken the job over; nothing of the caller's was stored."""

    code = "stale_lease"
