"""What the store refuses: things that are not there, clash, or are no longer the caller's to change."""

from __future__ import annotations

from models.errors import BitfrontError, InvalidInputError
from service.workspaces import QuotaUse


class NotFoundError(BitfrontError):
    """There is nothing under the id that was asked for."""

    code = "not_found"


class ConflictError(BitfrontError):
    """The request clashes with what is stored already."""

    code = "idempotency_conflict"


class WebhookDisabledError(BitfrontError):
    """A webhook that nothing is sent to any more."""

    code = "webhook_disabled"


class UploadInUseError(BitfrontError):
    """An upload that a job needs which has not ended."""

    code = "upload_in_use"


class UploadUnusableError(InvalidInputError):
    """A file that is not what it was brought as: damaged, cut off, too large unpacked, of another format."""

    code = "upload_unusable"


class StaleLeaseError(BitfrontError):
    """Another dispatcher has taken the job over; nothing of the caller's was stored."""

    code = "stale_lease"


class KeyRefusedError(BitfrontError):
    """An API key or a sign-in that opens nothing: `invalid_key`, `key_expired` or `key_revoked`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, fix="Ask whoever runs the service for a key: bitfront keys create.")
        self.code = code


class QuotaExceededError(BitfrontError):
    """A workspace would use more than it may; `retry_after` (seconds) is None where waiting does not help."""

    code = "quota_exceeded"

    def __init__(self, message: str, *, use: QuotaUse, retry_after: int | None) -> None:
        wait = "Wait, or" if retry_after else "Submit less, or"
        super().__init__(message, fix=f"{wait} ask whoever runs the service for a greater quota.")
        self.use = use
        self.retry_after = retry_after
