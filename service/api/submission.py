"""The body of a submission: a job, and beside it the labels, which are no part of its spec."""

from __future__ import annotations

from pydantic import Field

from search.job import JobSpec
from service.labels import Labels


class JobSubmission(JobSpec):
    """A job with labels."""

    labels: Labels = Field(default_factory=dict)

    def job(self) -> JobSpec:
        """The job alone: its digest and what it trains are the same whatever its labels."""
        return JobSpec.model_construct(**{name: getattr(self, name) for name in JobSpec.model_fields})
