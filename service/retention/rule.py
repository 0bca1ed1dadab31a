"""The rule by which checkpoints are kept.

A file of a trial t is needed while

- t has not ended: it may resume from it; or
- it is the checkpoint of a point that is on a front kept by its job (every metric; over all methods and of
  each), or on the front of its study (method and seed) by the job's own metric, which holds the best one; or
- it is the checkpoint of a point that is being trained again, or was within the days of the rule.

Of the files that are not needed, those of trials that ended at least `days` ago are removed; and beyond
`most_bytes` of all trials together those of the trials that ended first, however lately.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from service.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How long what is not needed stays, and how much may lie there; None: without end."""

    days: float | None
    most_bytes: int | None

    @property
    def age(self) -> timedelta | None:
        """The days as a span."""
        return None if self.days is None else timedelta(days=self.days)


def rule_of(settings: Settings) -> Rule:
    """The rule of a service."""
    return Rule(days=settings.checkpoint_days, most_bytes=settings.checkpoint_bytes)
