"""The studies of a job and the rounds that they have stored, for the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update

from search.job import JobSpec
from search.objective import Measured, Objective, score_of
from service.store import ids
from service.store.leases import Claim, Leases
from service.store.tables import Epoch, Point, Study, Trial
from service.store.transaction import Repository, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedTrial:
    """A trial to come: its place in its study, what it trains, and how many trials it counts as."""

    round: int
    number: int
    proposal: Mapping[str, Any]
    fingerprint: str
    share: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPoint:
    """What a strategy is told of a point."""

    allocation: Mapping[str, Any]
    score: float
    budget_cost: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTrial:
    """A trial as the engine needs it."""

    id: str
    planned: PlannedTrial
    state: str
    points: tuple[StoredPoint, ...]
    epochs_done: int = 0
    scores: tuple[float, ...] = ()  # after each epoch; only where they were asked for


class StudyRepository(Repository):
    """Prepares studies, plans their trials and reads them back."""

    def __init__(self, transaction: Transaction, leases: Leases) -> None:
        super().__init__(transaction)
        self._leases = leases

    def prepare(self, claim: Claim) -> None:
        """Make the studies of a claimed job that are not there yet. Raises StaleLeaseError."""
        job = self._leases.hold(claim)
        there = set(self._session.scalars(select(Study.id).where(Study.job_id == job.id)))
        for ordinal, (method, seed) in enumerate(study_keys(claim.spec)):
            study_id = ids.study_id(job.id, method, seed)
            if study_id not in there:
                study = Study(id=study_id, job_id=job.id, ordinal=ordinal, method=method, seed=seed)
                self._session.add(study)
        self._session.flush()

    def plan(self, claim: Claim, study_id: str, trials: Sequence[PlannedTrial]) -> None:
        """Store the trials of a round, all or none. Raises StaleLeaseError."""
        self._leases.hold(claim)
        now = self._transaction.now()
        study = self._session.scalars(select(Study).where(Study.id == study_id)).one()
        self._session.add_all(
            Trial(
                id=ids.trial_id(study_id, trial.number),
                job_id=claim.job_id,
                study_id=study_id,
                method=study.method,
                seed=study.seed,
                round=trial.round,
                number=trial.number,
                share=trial.share,
                state="queued",
                proposal=dict(trial.proposal),
                fingerprint=trial.fingerprint,
                created_at=now,
            )
            for trial in trials
        )
        self._session.flush()

    def finish(self, claim: Claim, study_id: str) -> None:
        """Record that a study proposes nothing more. Raises StaleLeaseError."""
        self._leases.hold(claim)
        self._session.execute(update(Study).where(Study.id == study_id).values(finished=True))

    def trials(
        self, study_id: str, *, first_round: int = 0, curves: Objective | None = None
    ) -> list[StoredTrial]:
        """The trials of a study from a round on, by number; with their scores by an objective if wanted."""
        chosen = (Trial.study_id == study_id, Trial.round >= first_round)
        points = self._points(select(Trial.id).where(*chosen))
        query = select(Trial).where(*chosen).order_by(Trial.number)
        trials = self._session.scalars(query).all()
        scores = self._scores(trials, curves) if curves is not None else {}
        return [_stored(trial, points.get(trial.id, ()), scores.get(trial.id, ())) for trial in trials]

    def why_no_point(self, job_id: str) -> str | None:
        """Why a job whose studies have all finished has no point; None where it has one."""
        if self._session.scalar(select(Point.seq).where(Point.job_id == job_id).limit(1)) is not None:
            return None
        failed = select(Trial).where(Trial.job_id == job_id, Trial.state == "failed")
        first = self._session.scalar(failed.order_by(Trial.finished_at, Trial.seq).limit(1))
        if first is None:
            return "No method proposed a trial."
        return f"Every trial failed; the first: {first.reason}: {first.message}"

    def _points(self, trials: Select[str]) -> dict[str, tuple[StoredPoint, ...]]:
        rows = self._session.execute(
            select(Point.trial_id, Point.allocation, Point.score, Point.budget_cost)
            .where(Point.trial_id.in_(trials))
            .order_by(Point.place)
        )
        found: dict[str, tuple[StoredPoint, ...]] = {}
        for trial_id, allocation, score, cost in rows:
            point = StoredPoint(allocation=allocation, score=score, budget_cost=cost)
            found[trial_id] = (*found.get(trial_id, ()), point)
        return found

    def _scores(self, trials: Sequence[Trial], objective: Objective) -> dict[str, tuple[float, ...]]:
        """The curve of each trial as far as it counts; that of a reused trial is the earlier trial's."""
        whose = {trial.id: trial.reused_from or trial.id for trial in trials}
        query = select(Epoch).where(Epoch.trial_id.in_(set(whose.values()))).order_by(Epoch.epoch)
        curves: dict[str, list[float]] = {}
        for epoch in self._session.scalars(query):
            score = epoch_score(epoch, objective)
            if score is not None:
                curves.setdefault(epoch.trial_id, []).append(score)
        return {trial.id: tuple(curves.get(whose[trial.id], ())[: trial.epochs_done]) for trial in trials}


def epoch_score(epoch: Epoch, objective: Objective) -> float | None:
    """The score that a trial had after an epoch; None where it was not measured."""
    measured = Measured(
        accuracy=epoch.validation_accuracy,
        balanced_accuracy=epoch.validation_balanced_accuracy,
        loss=epoch.validation_loss,
    )
    return score_of(objective, measured)


def study_keys(spec: JobSpec) -> list[tuple[str, int]]:
    """The (method, seed) of every study of a job, in order."""
    return [(method, seed) for method in spec.all_methods() for seed in spec.seeds]


def _stored(trial: Trial, points: tuple[StoredPoint, ...], scores: tuple[float, ...]) -> StoredTrial:
    planned = PlannedTrial(
        round=trial.round,
        number=trial.number,
        proposal=trial.proposal,
        fingerprint=trial.fingerprint,
        share=trial.share,
    )
    return StoredTrial(
        id=trial.id,
        planned=planned,
        state=trial.state,
        points=points,
        epochs_done=trial.epochs_done,
        scores=scores,
    )
