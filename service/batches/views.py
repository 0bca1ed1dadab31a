"""What the API answers about batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from service.ablations.views import AblationState
from service.views import JobState, View

BatchState = AblationState
"""A batch has succeeded once each of its jobs has; it has failed where one has, once all have ended."""


class BatchView(View):
    """A batch and its progress; `spec` is None in listings.

    `share_done` is of the planned trials, 0 to 1; a job that has ended counts whole, as it may need fewer.
    """

    id: str
    name: str
    state: BatchState
    created_at: datetime
    jobs: int
    jobs_ended: int
    jobs_by_state: dict[JobState, int]
    trials_planned: int
    trials_finished: int
    share_done: float
    spec: dict[str, Any] | None = None
