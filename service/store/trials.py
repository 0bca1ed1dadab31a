"""Trials: look up with attempts, learning curve and points, and list."""

from __future__ import annotations

from sqlalchemy import select

from service.errors import NotFoundError
from service.store import cursors
from service.store.tables import Attempt, Epoch, Point, Trial
from service.store.transaction import Repository
from service.trajectory.epochs import EpochByLayer
from service.views import AttemptView, EpochView, Page, TrialAttemptView, TrialView

LISTING = "trials"
ATTEMPTS_LISTING = "attempts"


class TrialRepository(Repository):
    """Reads trials."""

    def get(self, trial_id: str) -> TrialView:
        """A trial with its attempts, epochs and points. Raises NotFoundError."""
        trial = self._session.scalar(select(Trial).where(Trial.id == trial_id))
        if trial is None:
            raise NotFoundError(f"there is no trial {trial_id!r}.")
        seen = {
            "epochs": self._epochs(trial_id),
            "attempts": self._attempts(trial_id),
            "point_ids": self._point_ids(trial_id),
        }
        return _view(trial).model_copy(update=seen)

    def trained(self, trial: TrialView) -> TrialView:
        """The trial that was trained: itself, or the one that its result was reused from."""
        return trial if trial.reused_from is None else self.get(trial.reused_from)

    def page(
        self,
        job_id: str,
        *,
        limit: int,
        cursor: str | None,
        state: str | None,
        method: str | None,
        seed: int | None,
    ) -> Page[TrialView]:
        """The trials of a job, newest first. Raises NotFoundError, or InvalidInputError for a bad cursor."""
        self._require_job(job_id)
        below = cursors.start(LISTING, cursor)
        wanted = ((Trial.state, state), (Trial.method, method), (Trial.seed, seed))
        query = select(Trial).where(Trial.job_id == job_id, Trial.seq < below).order_by(Trial.seq.desc())
        query = query.where(*(column == value for column, value in wanted if value is not None))
        rows = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(trial.seq, trial) for trial in rows], limit)
        return Page[TrialView](items=[_view(trial) for trial in shown], next_cursor=more)

    def trajectory(self, trial_id: str) -> list[EpochByLayer]:
        """The epochs of a trial that may change bits, or of the one that it was reused from.

        Raises NotFoundError.
        """
        trial = self._session.scalar(select(Trial).where(Trial.id == trial_id))
        if trial is None:
            raise NotFoundError(f"there is no trial {trial_id!r}.")
        query = select(Epoch.epoch, Epoch.layer_bits, Epoch.renewals)
        query = query.where(Epoch.trial_id == (trial.reused_from or trial.id)).order_by(Epoch.epoch)
        return [
            EpochByLayer(epoch=epoch, bits=bits, renewals=renewals)
            for epoch, bits, renewals in self._session.execute(query)
            if bits is not None
        ]

    def attempts_page(self, job_id: str, *, limit: int, cursor: str | None) -> Page[TrialAttemptView]:
        """The attempts at the trials of a job, newest first. Raises as `page` does."""
        self._require_job(job_id)
        below = cursors.start(ATTEMPTS_LISTING, cursor)
        query = select(Attempt, Trial.method, Trial.seed).join(Trial, Trial.id == Attempt.trial_id)
        query = query.where(Trial.job_id == job_id, Attempt.seq < below).order_by(Attempt.seq.desc())
        rows = self._session.execute(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(ATTEMPTS_LISTING, [(row[0].seq, row) for row in rows], limit)
        return Page[TrialAttemptView](items=[_attempt_view(*row) for row in shown], next_cursor=more)

    def _epochs(self, trial_id: str) -> list[EpochView]:
        query = select(Epoch).where(Epoch.trial_id == trial_id).order_by(Epoch.epoch)
        return [
            EpochView.model_validate(epoch, from_attributes=True) for epoch in self._session.scalars(query)
        ]

    def _attempts(self, trial_id: str) -> list[AttemptView]:
        query = select(Attempt).where(Attempt.trial_id == trial_id).order_by(Attempt.number)
        return [
            AttemptView.model_validate(attempt, from_attributes=True)
            for attempt in self._session.scalars(query)
        ]

    def _point_ids(self, trial_id: str) -> list[str]:
        query = select(Point.id).where(Point.trial_id == trial_id).order_by(Point.ordinal)
        return list(self._session.scalars(query))


def _view(trial: Trial) -> TrialView:
    fields = TrialView.model_fields.keys() - {"epochs", "attempts", "point_ids"}
    return TrialView.model_validate({name: getattr(trial, name) for name in fields})


def _attempt_view(attempt: Attempt, method: str, seed: int) -> TrialAttemptView:
    own = {name: getattr(attempt, name) for name in AttemptView.model_fields}
    return TrialAttemptView(**own, trial_id=attempt.trial_id, method=method, seed=seed)
