"""What the engine records of trials: attempts, epochs, outcomes, failures and reuse.

Each method is one step of a job under a claim: it locks the job, checks the fencing token, and stores the
change with its events. A result for a trial that is not running (it has ended, or its attempt was lost)
changes nothing, so a result counts once however often it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, true

from search.objective import Objective
from search.stopping import bars_of, why_stopped
from service.store.events import EventRepository
from service.store.leases import Claim, Leases
from service.store.points import new_point, result_of
from service.store.studies import epoch_score
from service.store.summaries import add_summary
from service.store.tables import Attempt, Epoch, Point, Study, Trial
from service.store.transaction import Repository, Transaction
from service.store.upkeep import add_to_fronts
from service.views import STOPPED_EARLY
from workers.report import EpochReport, PointResult, TrialFailure, TrialOutcome, TrialStop

BY_LAYER = frozenset({"layer_bits", "renewals"})
"""Fields of an epoch that grow with the network: they are stored, and no event carries them."""


class ResultRepository(Repository):
    """Writes what becomes of trials. Whatever names a claim raises StaleLeaseError where that is stale."""

    def __init__(self, transaction: Transaction, leases: Leases, events: EventRepository) -> None:
        super().__init__(transaction)
        self._leases = leases
        self._events = events

    def start(self, claim: Claim, trial_id: str) -> int:
        """Begin an attempt; its number, or 0 where the trial wants none any more."""
        trial = self._trial(claim, trial_id)
        if trial.state not in {"queued", "running"}:
            return 0
        now = self._transaction.now()
        self._end_attempt(trial, "lost", now, "it was started again")
        attempt = self._new_attempt(claim, trial, now)
        trial.state = "running"
        self._tell(trial, "trial_started", {"attempt": attempt.number}, now)
        return attempt.number

    def lose(self, claim: Claim, trial_id: str, message: str) -> bool:
        """End an attempt without a result; the trial waits to be started again."""
        trial = self._trial(claim, trial_id)
        if trial.state != "running":
            return False
        self._end_attempt(trial, "lost", self._transaction.now(), message)
        trial.state = "queued"
        self._session.flush()
        return True

    def epoch(self, claim: Claim, trial_id: str, report: EpochReport) -> bool:
        """Store an epoch of the learning curve; one that is trained again replaces the earlier."""
        trial = self._trial(claim, trial_id)
        attempt = self._running_attempt(trial)
        if trial.state != "running" or attempt is None:
            return False
        now = self._transaction.now()
        fields = {name: value for name, value in asdict(report).items() if name != "epochs"}
        if self._session.get(Epoch, (trial.id, report.epoch)) is None:  # trained again, it leads nowhere new
            self._leases.progressed(claim)
        self._session.merge(Epoch(trial_id=trial.id, **fields))
        attempt.first_epoch = attempt.first_epoch or report.epoch
        trial.epochs_done, trial.samples = report.epoch, report.samples
        trial.seconds = self._seconds(trial, now)
        told = {name: value for name, value in asdict(report).items() if name not in BY_LAYER}
        self._tell(trial, "epoch", told, now)
        return True

    def advance(self, claim: Claim, trial_id: str, samples: int) -> None:
        """Note how many samples a running trial has processed in the middle of an epoch, if they are more."""
        trial = self._trial(claim, trial_id)
        if trial.state == "running" and samples > trial.samples:
            self._leases.progressed(claim)
            trial.samples = samples
            trial.seconds = self._seconds(trial, self._transaction.now())

    def succeed(self, claim: Claim, trial_id: str, outcome: TrialOutcome, *, stored_bytes: int = 0) -> bool:
        """Store the points of a running trial and end it; whether the result counted."""
        trial = self._trial(claim, trial_id)
        if trial.state != "running":
            return False
        now = self._transaction.now()
        self._end_attempt(trial, "succeeded", now, None)
        self._leases.progressed(claim)
        trial.epochs_done, trial.samples = outcome.epochs, outcome.samples
        trial.stored_bytes = stored_bytes
        self._store_points(
            claim, trial, outcome.points, checkpoint_trial=trial.id, provenance=outcome.provenance, moment=now
        )
        self._end(trial, "succeeded", now)
        return True

    def prune(self, claim: Claim, trial_id: str, stop: TrialStop, *, stored_bytes: int = 0) -> bool:
        """End a running trial that was stopped early, without a point; whether the stop counted."""
        trial = self._trial(claim, trial_id)
        if trial.state != "running":
            return False
        now = self._transaction.now()
        self._end_attempt(trial, "pruned", now, stop.message)
        self._leases.progressed(claim)
        trial.stored_bytes = stored_bytes
        self._stop(trial, stop, now)
        return True

    def fail(self, claim: Claim, trial_id: str, failure: TrialFailure, *, stored_bytes: int = 0) -> bool:
        """End a trial that failed, with the points that it had reached by then; whether that counted."""
        trial = self._trial(claim, trial_id)
        if trial.state not in {"queued", "running"}:
            return False
        now = self._transaction.now()
        self._end_attempt(trial, "failed", now, failure.message)
        self._leases.progressed(claim)
        trial.reason, trial.message = failure.reason, failure.message
        trial.stored_bytes = stored_bytes
        self._store_points(
            claim, trial, failure.points, checkpoint_trial=trial.id, provenance=failure.provenance, moment=now
        )
        self._end(trial, "failed", now)
        return True

    def reuse(self, claim: Claim, trial_id: str, recost: Callable[[PointResult], PointResult]) -> bool:
        """Take over the points of a trial, of any job of the workspace, that trained the same; if any.

        `recost` gives a point the costs of this job, whose hardware or table may be another. Where this
        trial would have been stopped early, it is: what it comes to must not depend on the store.
        """
        trial = self._trial(claim, trial_id)
        earlier = self._same_training(trial, claim.spec.objective)
        if trial.state != "queued" or earlier is None:
            return False
        now = self._transaction.now()
        points = self._session.scalars(
            select(Point).where(Point.trial_id == earlier.id).order_by(Point.ordinal)
        ).all()
        trial.reused_from = earlier.id
        self._leases.progressed(claim)
        stop = self._would_stop(trial, earlier, claim.spec.objective)
        if stop is not None:
            self._stop(trial, stop, now)
            return True
        trial.epochs_done, trial.samples = earlier.epochs_done, earlier.samples
        results = [recost(result_of(point)) for point in points]
        provenance = points[0].provenance if points else {}
        self._store_points(
            claim, trial, results, checkpoint_trial=earlier.id, provenance=provenance, moment=now
        )
        self._end(trial, "succeeded", now)
        return True

    def _trial(self, claim: Claim, trial_id: str) -> Trial:
        """A trial of the claimed job, whose row is locked first."""
        self._leases.hold(claim)
        query = select(Trial).where(Trial.id == trial_id, Trial.job_id == claim.job_id)
        return self._session.scalars(query).one()

    def _same_training(self, trial: Trial, objective: Objective) -> Trial | None:
        """The trial that was really trained, so that a checkpoint is one step away.

        Points stored before loss and balanced accuracy were measured are no results for those objectives.
        """
        lacking = select(Point.trial_id).where(Point.trial_id == Trial.id, Point.validation_loss.is_(None))
        return self._session.scalar(
            select(Trial)
            .where(Trial.fingerprint == trial.fingerprint, Trial.state == "succeeded")
            .where(Trial.reused_from.is_(None), Trial.workspace_id == trial.workspace_id)
            .where(true() if objective == "accuracy" else ~lacking.exists())
            .order_by(Trial.seq)
            .limit(1)
            .with_for_update(read=True, of=Trial)  # its checkpoints are not removed until this is stored
        )

    def _would_stop(self, trial: Trial, earlier: Trial, objective: Objective) -> TrialStop | None:
        """Where a trial ends early that has the learning curve of an earlier one."""
        bars = bars_of(trial.proposal.get("note", {}))
        query = select(Epoch).where(Epoch.trial_id == earlier.id, Epoch.epoch.in_(bars)).order_by(Epoch.epoch)
        for epoch in self._session.scalars(query):
            score = epoch_score(epoch, objective)
            message = None if score is None else why_stopped(bars, epoch.epoch, score)
            if message is not None:
                return TrialStop(epochs=epoch.epoch, samples=epoch.samples, message=message)
        return None

    def _stop(self, trial: Trial, stop: TrialStop, moment: datetime) -> None:
        trial.epochs_done, trial.samples = stop.epochs, stop.samples
        trial.reason, trial.message = STOPPED_EARLY, stop.message
        self._end(trial, "pruned", moment)

    def next_attempt(self, trial_id: str) -> int:
        """The number that the next attempt at a trial will have."""
        earlier = self._session.scalar(select(func.max(Attempt.number)).where(Attempt.trial_id == trial_id))
        return (earlier or 0) + 1

    def _new_attempt(self, claim: Claim, trial: Trial, moment: datetime) -> Attempt:
        attempt = Attempt(
            trial_id=trial.id,
            number=self.next_attempt(trial.id),
            token=claim.token,
            state="running",
            started_at=moment,
        )
        self._session.add(attempt)
        return attempt

    def _running_attempt(self, trial: Trial) -> Attempt | None:
        return self._session.scalar(
            select(Attempt).where(Attempt.trial_id == trial.id, Attempt.state == "running")
        )

    def _end_attempt(self, trial: Trial, state: str, moment: datetime, message: str | None) -> None:
        attempt = self._running_attempt(trial)
        if attempt is not None:
            attempt.state, attempt.ended_at, attempt.message = state, moment, message
            self._session.flush()
        trial.seconds = self._seconds(trial, moment)

    def _seconds(self, trial: Trial, moment: datetime) -> float:
        """The wall time of the attempts so far."""
        attempts = self._session.scalars(select(Attempt).where(Attempt.trial_id == trial.id))
        spans = [(attempt.ended_at or moment) - attempt.started_at for attempt in attempts]
        return sum(max(span.total_seconds(), 0.0) for span in spans)

    def _end(self, trial: Trial, state: str, moment: datetime) -> None:
        trial.state, trial.finished_at = state, moment
        names = ("state", "reason", "message", "reused_from")
        self._tell(trial, "trial_finished", {name: getattr(trial, name) for name in names}, moment)

    def _store_points(
        self,
        claim: Claim,
        trial: Trial,
        results: Sequence[PointResult],
        *,
        checkpoint_trial: str,
        provenance: Mapping[str, Any],
        moment: datetime,
    ) -> None:
        study_ordinal = self._session.scalars(select(Study.ordinal).where(Study.id == trial.study_id)).one()
        for ordinal, result in enumerate(results):
            point = new_point(
                claim.spec,
                trial,
                result,
                study_ordinal=study_ordinal,
                ordinal=ordinal,
                checkpoint_trial=checkpoint_trial,
                provenance=provenance,
                moment=moment,
            )
            self._session.add(point)
            self._session.flush()
            add_summary(self._session, claim.spec, point, trial.proposal.get("settings", {}))
            on_front = add_to_fronts(self._session, claim.spec, point)
            self._tell(trial, "point", _point_data(point, on_front), moment)

    def _tell(self, trial: Trial, kind: str, data: dict[str, Any], moment: datetime) -> None:
        whose = {"trial_id": trial.id, "method": trial.method, "seed": trial.seed, "number": trial.number}
        self._events.append(trial.job_id, kind, {**whose, **data}, moment)


def _point_data(point: Point, on_front: bool) -> dict[str, Any]:
    return {
        "id": point.id,
        "cost": point.budget_cost,
        "validation_accuracy": point.validation_accuracy,
        "test_accuracy": point.test_accuracy,
        "score": point.score,
        "test_score": point.test_score,
        "feasible": point.feasible,
        "on_front": on_front,
    }
