"""Which files of trials are needed, by the rule in `service.retention.rule`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from search.pareto import is_on_front
from service.store.tables import FrontMember, Point, Rerun, Trial
from service.store.transaction import Repository
from service.views import ENDED_TRIAL_STATES

GOING = ("queued", "running")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A trial that has ended and whose folder may hold files."""

    trial_id: str
    seq: int
    finished_at: datetime
    stored_bytes: int


class RetentionRepository(Repository):
    """Over all workspaces in a unit that is bound to none."""

    def now(self) -> datetime:
        """The time that ages are counted to."""
        return self._transaction.now()

    def ended(self) -> list[Ended]:
        """Trials that were trained, have ended and left files; the one that ended first comes first."""
        columns = (Trial.id, Trial.seq, Trial.finished_at, Trial.stored_bytes)
        query = select(*columns).where(*_left_files()).order_by(Trial.finished_at, Trial.seq)
        rows = self._session.execute(query)
        return [
            Ended(trial_id=trial, seq=seq, finished_at=finished, stored_bytes=size)
            for trial, seq, finished, size in rows
            if finished is not None
        ]

    def hold(self, trial_id: str) -> bool:
        """Lock a trial against being reused while its files are looked at; whether it still is to be."""
        self._transaction.write()
        query = select(Trial.id).where(Trial.id == trial_id, *_left_files()).with_for_update()
        return self._session.scalar(query) is not None

    def needed(self, trial_id: str, rerun_age: timedelta | None) -> set[str]:
        """The files of an ended trial that points need which have their checkpoint there."""
        points = self._points(trial_id)
        ids = {point.id for point in points}
        kept = set(self._session.scalars(select(FrontMember.point_id).where(FrontMember.point_id.in_(ids))))
        kept |= self._trained_again(ids, rerun_age)
        for study in {point.study_id for point in points if point.id not in kept}:
            kept |= ids & set(self._study_front(study))
        return {point.checkpoint for point in points if point.id in kept}

    def has_spare(self, trial_id: str, rerun_age: timedelta | None) -> bool:
        """Whether a look into the trial's folder is worth it: not every file of it can be needed."""
        state = self._session.scalar(select(Trial.state).where(Trial.id == trial_id))
        named = {point.checkpoint for point in self._points(trial_id)}
        return state != "succeeded" or not named or named != self.needed(trial_id, rerun_age)

    def left(self, trial_id: str, stored_bytes: int) -> None:
        """Note what a trial's folder still holds; quotas count it."""
        session = self._transaction.write()
        trial = session.scalars(select(Trial).where(Trial.id == trial_id)).one()
        trial.stored_bytes = stored_bytes
        self._session.flush()

    def _points(self, trial_id: str) -> Sequence[Point]:
        """The points that have their checkpoint in the folder of a trial.

        Those that took them over are found by their trials, which have the same fingerprint: it has an index.
        """
        fingerprint = select(Trial.fingerprint).where(Trial.id == trial_id).scalar_subquery()
        heirs = select(Trial.id).where(
            Trial.fingerprint == fingerprint, or_(Trial.id == trial_id, Trial.reused_from == trial_id)
        )
        query = select(Point).where(Point.trial_id.in_(heirs), Point.checkpoint_trial == trial_id)
        return self._session.scalars(query).all()

    def _trained_again(self, ids: set[str], age: timedelta | None) -> set[str]:
        lately = [] if age is None else [Rerun.finished_at > self.now() - age]
        query = select(Rerun.point_id).where(Rerun.point_id.in_(ids), or_(Rerun.state.in_(GOING), *lately))
        return set(self._session.scalars(query))

    def _study_front(self, study_id: str) -> Iterator[str]:
        query = select(Point.id, Point.budget_cost, Point.score).where(
            Point.study_id == study_id, Point.feasible.is_(True)
        )
        rows = self._session.execute(query.order_by(Point.place)).all()
        on_front = is_on_front([row.budget_cost for row in rows], [row.score for row in rows])
        for row, kept in zip(rows, on_front, strict=True):
            if kept:
                yield row.id


def _left_files() -> tuple[ColumnElement[bool], ...]:
    return (
        Trial.state.in_(ENDED_TRIAL_STATES),
        Trial.stored_bytes > 0,
        Trial.reused_from.is_(None),
        Trial.finished_at.is_not(None),
    )
