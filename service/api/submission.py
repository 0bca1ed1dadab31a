"""The body of a submission: a job, and beside it labels and priority, which are no part of its spec."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.job import JobSpec
from service.labels import Labels

GREATEST_PRIORITY = 9
Priority = Annotated[int, Field(ge=-GREATEST_PRIORITY, le=GREATEST_PRIORITY)]
"""Greater is claimed earlier, among the jobs of a workspace."""


class JobSubmission(JobSpec):
    """A job with labels and a priority."""

    labels: Labels = Field(default_factory=dict)
    priority: Priority = 0

    def job(self) -> JobSpec:
        """The job alone: its digest and what it trains are the same whatever stands beside it."""
        return JobSpec.model_construct(**{name: getattr(self, name) for name in JobSpec.model_fields})
