"""How far jobs are: trials by state per study, the best point under each budget, the seconds left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from search.job import JobSpec
from service.store.tables import Job, Point, Study, Trial
from service.views import ENDED_TRIAL_STATES, STOPPED_EARLY, BestUnderBudget, StudyView

ROUNDING = 1e-9
"""Parts of trials that make a whole may add up to a little less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The trials of one study in one state; one that counts as several is counted so.

    Trials that were stopped early are no part of `trials` and `reused`; they count by their epochs.
    """

    state: str
    trials: int
    stopped: int
    stopped_epochs: int
    taken_over_epochs: int  # of `stopped_epochs`, those that earlier trials had trained
    runs: int  # trainings, each counted once
    reused: int
    samples: int
    epochs: int
    trained_seconds: float  # of trials that were not reused


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyProgress:
    """A study and its trials by state."""

    study: Study
    tallies: Mapping[str, Tally]

    def trials(self, state: str) -> int:
        """How many trials are in a state."""
        return self.tallies[state].trials if state in self.tallies else 0

    @property
    def stopped(self) -> int:
        """How many trials were stopped early."""
        return sum(tally.stopped for tally in self.tallies.values())

    def ended(self, epochs: int) -> float:
        """How many trials have ended; those stopped early count as the part of them that was trained."""
        whole = sum(self.trials(state) for state in ENDED_TRIAL_STATES)
        return whole + sum(tally.stopped_epochs for tally in self.tallies.values()) / epochs


@dataclass(frozen=True, kw_only=True, slots=True)
class Best:
    """The best point of a study under one budget."""

    study_id: str
    budget: float
    place: int
    view: BestUnderBudget


def study_progress(session: Session, job_ids: Sequence[str]) -> dict[str, list[StudyProgress]]:
    """The studies of some jobs, by job, with two queries however many there are."""
    studies = session.scalars(
        select(Study).where(Study.job_id.in_(job_ids)).order_by(Study.job_id, Study.ordinal)
    )
    tallies = _tallies(session, job_ids)
    found: dict[str, list[StudyProgress]] = {job_id: [] for job_id in job_ids}
    for study in studies:
        found[study.job_id].append(StudyProgress(study=study, tallies=tallies.get(study.id, {})))
    return found


def trials_ended(spec: JobSpec, studies: Sequence[StudyProgress]) -> int:
    """The whole trials that have ended in some studies of a job."""
    return int(sum(study.ended(spec.training.epochs) for study in studies) + ROUNDING)


def seconds_left(job: Job, spec: JobSpec, studies: Sequence[StudyProgress]) -> float | None:
    """Mean seconds of the trials trained so far, times those left, over the trainings that run at once.

    Of the trials left, those that run count for the epochs that they still have to go.
    """
    if job.finished_at is not None:
        return 0.0
    ended = [study.tallies[state] for study in studies for state in ENDED_TRIAL_STATES & study.tallies.keys()]
    epochs = spec.training.epochs
    parts = sum(tally.stopped_epochs - tally.taken_over_epochs for tally in ended) / epochs
    trained = sum(tally.trials - tally.reused for tally in ended) + parts
    if trained == 0:
        return None
    left = sum(
        spec.compute.trials_per_study - study.ended(epochs) for study in studies if not study.study.finished
    )
    active = [study.tallies["running"] for study in studies if "running" in study.tallies]
    to_go = max(0.0, left - sum(tally.epochs for tally in active) / epochs)
    at_once = max(1, sum(tally.runs for tally in active))
    return to_go * sum(tally.trained_seconds for tally in ended) / trained / at_once


def study_views(spec: JobSpec, studies: Sequence[StudyProgress], found: Sequence[Best]) -> list[StudyView]:
    """The studies as people see them."""
    return [_study_view(spec, study, found) for study in studies]


def best_points(session: Session, job_id: str, spec: JobSpec) -> list[Best]:
    """The best feasible point of every study of a job under every budget that has one."""
    ranked = union_all(*(_ranked(job_id, limit.maximum) for limit in spec.budgets())).subquery()
    rows = session.execute(select(ranked).where(ranked.c.rank == 1))
    return [
        Best(
            study_id=row.study_id,
            budget=row.budget,
            place=row.place,
            view=BestUnderBudget(
                budget=row.budget,
                point_id=row.id,
                cost=row.budget_cost,
                validation_accuracy=row.validation_accuracy,
                test_accuracy=row.test_accuracy,
                score=row.score,
                test_score=row.test_score,
            ),
        )
        for row in rows
    ]


def best_of(spec: JobSpec, found: Iterable[Best]) -> list[BestUnderBudget]:
    """The best under each budget among the bests of some studies; empty where there is none."""
    ranked = sorted(found, key=_rank)
    return [
        next((best.view for best in ranked if best.budget == limit.maximum), _nothing(limit.maximum))
        for limit in spec.budgets()
    ]


def _tallies(session: Session, job_ids: Sequence[str]) -> dict[str, dict[str, Tally]]:
    reused = Trial.reused_from.is_not(None)
    trained = func.sum(Trial.seconds).filter(~reused)
    early = Trial.reason.is_not_distinct_from(STOPPED_EARLY)
    whole = Trial.reason.is_distinct_from(STOPPED_EARLY)
    rows = session.execute(
        select(
            Trial.study_id,
            Trial.state,
            func.coalesce(func.sum(Trial.share).filter(whole), 0).label("trials"),
            func.count().filter(early).label("stopped"),
            func.coalesce(func.sum(Trial.epochs_done).filter(early), 0).label("stopped_epochs"),
            func.coalesce(func.sum(Trial.epochs_done).filter(early, reused), 0).label("taken_over"),
            func.count().label("runs"),
            func.coalesce(func.sum(Trial.share).filter(reused, whole), 0).label("reused"),
            func.sum(Trial.samples).label("samples"),
            func.sum(Trial.epochs_done).label("epochs"),
            func.coalesce(trained, 0.0).label("seconds"),
        )
        .where(Trial.job_id.in_(job_ids))
        .group_by(Trial.study_id, Trial.state)
    )
    found: dict[str, dict[str, Tally]] = {}
    for row in rows:
        found.setdefault(row.study_id, {})[row.state] = Tally(
            state=row.state,
            trials=row.trials,
            stopped=row.stopped,
            stopped_epochs=row.stopped_epochs,
            taken_over_epochs=row.taken_over,
            runs=row.runs,
            reused=row.reused,
            samples=int(row.samples),
            epochs=row.epochs,
            trained_seconds=row.seconds,
        )
    return found


def _study_view(spec: JobSpec, progress: StudyProgress, found: Sequence[Best]) -> StudyView:
    study = progress.study
    return StudyView(
        id=study.id,
        method=study.method,
        seed=study.seed,
        trials_planned=spec.compute.trials_per_study,
        trials_queued=progress.trials("queued"),
        trials_running=progress.trials("running"),
        trials_succeeded=progress.trials("succeeded"),
        trials_failed=progress.trials("failed"),
        trials_stopped=progress.stopped,
        trials_reused=sum(tally.reused for tally in progress.tallies.values()),
        samples=sum(tally.samples for tally in progress.tallies.values()),
        finished=study.finished,
        best=best_of(spec, (best for best in found if best.study_id == study.id)),
    )


def _ranked(job_id: str, budget: float) -> Select[Any]:
    """The feasible points of a job within a budget, ranked within their study from 1."""
    order = (Point.score.desc(), Point.budget_cost, Point.place)
    return select(
        Point.study_id,
        literal(budget).label("budget"),
        Point.place,
        Point.id,
        Point.budget_cost,
        Point.validation_accuracy,
        Point.test_accuracy,
        Point.score,
        Point.test_score,
        func.row_number().over(partition_by=Point.study_id, order_by=order).label("rank"),
    ).where(Point.job_id == job_id, Point.feasible, Point.budget_cost <= budget)


def _rank(best: Best) -> tuple[float, float, int]:
    return -(best.view.score or 0.0), best.view.cost or 0.0, best.place


def _nothing(budget: float) -> BestUnderBudget:
    return BestUnderBudget(
        budget=budget, point_id=None, cost=None, validation_accuracy=None, test_accuracy=None
    )
