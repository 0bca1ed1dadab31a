"""What is told of an exception that ended a trial; free of Ray, so that it can be had without one."""

from __future__ import annotations

from models.errors import BitfrontError, NanLossError, ReplicaLostError
from workers.report import FailureReason, TrialFailure
from workers.trial import TrialRun


def failure_of(error: Exception, run: TrialRun | None = None) -> TrialFailure:
    """The reason and the sentence for an exception, with the points that the trial had reached before it."""
    message = str(error) if isinstance(error, BitfrontError) else f"{type(error).__name__}: {error}"
    if run is None or not run.points:
        return TrialFailure(reason=_reason(error), message=message)
    return TrialFailure(
        reason=_reason(error), message=message, points=run.points, provenance=run.provenance()
    )


def _reason(error: Exception) -> FailureReason:
    if isinstance(error, NanLossError):
        return "nan_loss"
    if isinstance(error, ReplicaLostError):
        return "lost"
    if (
        isinstance(error, MemoryError)
        or "out of memory" in str(error).lower()
        or "can't allocate memory" in str(error)
    ):
        return "out_of_memory"
    return "error"
