"""Points: look up, list, find their checkpoint, and make new rows of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from search.job import JobSpec
from search.objective import Measured, score_of
from service.errors import NotFoundError
from service.store import cursors, ids
from service.store.layer_costs import point_layer_costs
from service.store.limits import is_feasible, metric_cost
from service.store.tables import Job, Point, Trial
from service.store.transaction import Repository
from service.views import Page, PointView
from workers.report import PointResult

LISTING = "points"
POINTS_PER_TRIAL = 1_000
TRIALS_PER_STUDY = 10_000
"""More than a job may ask for; together they make the place of a point within its job."""
ACCURACIES = ("validation_accuracy", "test_accuracy")
OTHERS = ("validation_balanced_accuracy", "test_balanced_accuracy", "validation_loss", "test_loss")
SCORES = ("score", "test_score")


class PointRepository(Repository):
    """Reads points."""

    def get(self, point_id: str) -> PointView:
        """A point with all that makes it reproducible. Raises NotFoundError."""
        query = _complete().add_columns(Job.plan).where(Point.id == point_id)
        row = self._session.execute(query).one_or_none()
        if row is None:
            raise _missing(point_id)
        point, proposal, spec, plan = row
        layers = point_layer_costs(spec, plan, point.allocation, proposal.get("settings", {}))
        return _view(point, proposal, spec).model_copy(update={"layer_costs": layers})

    def page(self, job_id: str, *, limit: int, cursor: str | None) -> Page[PointView]:
        """The points of a job, newest first. Raises NotFoundError, or InvalidInputError for a bad cursor."""
        self._require_job(job_id)
        below = cursors.start(LISTING, cursor)
        query = _complete().where(Point.job_id == job_id, Point.seq < below).order_by(Point.seq.desc())
        rows = self._session.execute(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(row[0].seq, row) for row in rows], limit)
        return Page[PointView](items=[_view(*row) for row in shown], next_cursor=more)

    def checkpoint(self, point_id: str) -> tuple[str, str]:
        """The trial whose folder holds the point's checkpoint, and the file's name. Raises NotFoundError."""
        query = select(Point.checkpoint_trial, Point.checkpoint).where(Point.id == point_id)
        row = self._session.execute(query).one_or_none()
        if row is None:
            raise _missing(point_id)
        return row.checkpoint_trial, row.checkpoint


def new_point(
    spec: JobSpec,
    trial: Trial,
    result: PointResult,
    *,
    study_ordinal: int,
    ordinal: int,
    checkpoint_trial: str,
    provenance: Mapping[str, Any],
    moment: datetime,
) -> Point:
    """A row for a result of a trial; whether it is feasible follows from its costs and this job's limits."""
    return Point(
        id=ids.point_id(trial.id, ordinal),
        job_id=trial.job_id,
        study_id=trial.study_id,
        trial_id=trial.id,
        ordinal=ordinal,
        place=(study_ordinal * TRIALS_PER_STUDY + trial.number) * POINTS_PER_TRIAL + ordinal,
        method=trial.method,
        seed=trial.seed,
        allocation=dict(result.allocation),
        costs={scope: dict(costs) for scope, costs in result.costs.items()},
        cost_versions=dict(result.cost_versions),
        rates=dict(result.rates),
        budget_cost=metric_cost(spec, spec.budget.metric, result.costs),
        **{name: getattr(result, name) for name in ACCURACIES},
        **{name: _finite(getattr(result, name)) for name in OTHERS},
        score=_score(spec, result.validation),
        test_score=_score(spec, result.test),
        feasible=is_feasible(spec, result.costs),
        checkpoint_trial=checkpoint_trial,
        checkpoint=result.checkpoint,
        checkpoint_sha256=result.checkpoint_sha256,
        provenance=dict(provenance),
        created_at=moment,
    )


def result_of(point: Point) -> PointResult:
    """What the trial reported when the point was made."""
    return PointResult(
        allocation=point.allocation,
        costs=point.costs,
        cost_versions=point.cost_versions,
        rates=point.rates,
        **{name: getattr(point, name) for name in (*ACCURACIES, *OTHERS)},
        checkpoint=point.checkpoint,
        checkpoint_sha256=point.checkpoint_sha256,
    )


def _score(spec: JobSpec, measured: Measured) -> float:
    """Raises ValueError where the objective was not measured: such a point is no result of this job."""
    found = score_of(spec.objective, measured)
    if found is None:
        raise ValueError(f"a point of a job for {spec.objective} lacks it")
    return found


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _complete() -> Select[Point, dict[str, Any], dict[str, Any]]:
    return (
        select(Point, Trial.proposal, Job.spec)
        .join(Trial, Trial.id == Point.trial_id)
        .join(Job, Job.id == Point.job_id)
    )


def _view(point: Point, proposal: Mapping[str, Any], spec: Mapping[str, Any]) -> PointView:
    return PointView(
        id=point.id,
        ordinal=point.ordinal,
        trial_id=point.trial_id,
        job_id=point.job_id,
        method=point.method,
        seed=point.seed,
        settings=dict(proposal.get("settings", {})),
        allocation=point.allocation,
        costs=point.costs,
        cost_versions=point.cost_versions,
        rates=point.rates,
        **{name: getattr(point, name) for name in (*ACCURACIES, *OTHERS, *SCORES)},
        objective=JobSpec.model_validate(spec).objective,
        feasible=point.feasible,
        checkpoint_sha256=point.checkpoint_sha256,
        provenance=point.provenance,
        spec=dict(spec),
        proposal=dict(proposal),
        created_at=point.created_at,
    )


def _missing(point_id: str) -> NotFoundError:
    return NotFoundError(f"there is no point {point_id!r}.")
