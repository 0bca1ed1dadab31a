"""How fast trials were: seconds per training sample, of those that trained a network on some data.

seconds per sample = sum of seconds / sum of samples, over trials that succeeded and were trained
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from service.store.tables import Job, Trial
from service.store.transaction import Repository

LOOKED_AT = 200
"""The newest jobs with trials; older ones say less of the machines of today."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What some trials took."""

    trials: int
    seconds_per_sample: float


class PaceRepository(Repository):
    """Reads what stored trials took."""

    def of(self, alike: Callable[[Mapping[str, Any]], bool]) -> Pace | None:
        """The pace of the trials of the jobs whose spec is `alike`; None where there are none."""
        worked = select(Trial.job_id).where(Trial.state == "succeeded", Trial.reused_from.is_(None))
        recent = select(Job.id, Job.spec).where(Job.id.in_(worked)).order_by(Job.seq.desc()).limit(LOOKED_AT)
        wanted = [row.id for row in self._session.execute(recent) if alike(row.spec)]
        trained = (Trial.state == "succeeded", Trial.reused_from.is_(None), Trial.samples > 0)
        query = select(func.count(), func.sum(Trial.seconds), func.sum(Trial.samples))
        count, seconds, samples = self._session.execute(query.where(Trial.job_id.in_(wanted), *trained)).one()
        return Pace(trials=count, seconds_per_sample=seconds / float(samples)) if count else None
