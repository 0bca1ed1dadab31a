"""Runs one claimed job: its studies, their rounds, and the record of what its trials give."""

from service.jobs.engine import JobRun

__all__ = ["JobRun"]
