"""The learning curves of a whole job at once, for its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from service.store.tables import Epoch, Study, Trial
from service.store.transaction import Repository
from service.views import EpochView


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """The learning curve of a trial, and what it was for; that of a reused trial is the earlier trial's."""

    method: str
    seed: int
    budget: float | None  # the one that its strategy proposed it for, if it says so
    learned: bool  # whether the trial learned its bits
    epochs: tuple[EpochView, ...]


class CurveRepository(Repository):
    """Reads learning curves."""

    def of_job(self, job_id: str) -> list[Curve]:
        """The curves of all trials of a job, by study and number. Raises NotFoundError."""
        self._require_job(job_id)
        trained = func.coalesce(Trial.reused_from, Trial.id)
        trials = self._session.scalars(
            select(Trial)
            .join(Study, Study.id == Trial.study_id)
            .where(Trial.job_id == job_id)
            .order_by(Study.ordinal, Trial.number)
        ).all()
        wanted = select(trained).where(Trial.job_id == job_id)
        query = select(Epoch).where(Epoch.trial_id.in_(wanted)).order_by(Epoch.trial_id, Epoch.epoch)
        epochs: dict[str, list[EpochView]] = {}
        for epoch in self._session.scalars(query):
            view = EpochView.model_validate(epoch, from_attributes=True)
            epochs.setdefault(epoch.trial_id, []).append(view)
        return [_curve(trial, tuple(epochs.get(trial.reused_from or trial.id, ()))) for trial in trials]


def _curve(trial: Trial, epochs: tuple[EpochView, ...]) -> Curve:
    return Curve(
        method=trial.method,
        seed=trial.seed,
        budget=_budget(trial.proposal),
        learned=trial.proposal.get("kind") != "fixed_bits",
        epochs=epochs,
    )


def _budget(proposal: Mapping[str, Any]) -> float | None:
    if "budget" in proposal:
        return float(proposal["budget"]["maximum"])
    noted = proposal.get("note", {}).get("budget")
    return None if noted is None else float(noted)
