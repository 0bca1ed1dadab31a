"""What reads of many points at once go over: a narrow row per point, and a bound per job and metric.

A row of `points` holds documents of several KiB, which a read of 100,000 points would drag along.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.cost import BUDGET_METRICS
from service.store.tables.base import Base
from service.store.types import SEQ
from service.store.workspace_scope import InWorkspace

COST_COLUMNS = {metric: f"cost_{metric}" for metric in BUDGET_METRICS}
"""The column of each metric; a new metric needs a migration that adds its column."""


class PointSummary(InWorkspace, Base):
    """The numbers of a point, in the order of `place` on disk; costs are in the scopes that its job shows.

    Costs are None by metrics that the point has none by, mean bits where the layer table is not known.
    """

    __tablename__ = "point_summaries"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    place: Mapped[int] = mapped_column(SEQ, primary_key=True)
    point_id: Mapped[str] = mapped_column(ForeignKey("points.id"))
    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.id"))
    method: Mapped[str]
    seed: Mapped[int]
    feasible: Mapped[bool]
    score: Mapped[float]
    test_score: Mapped[float]
    mean_weight_bits: Mapped[float | None]
    mean_spike_bits: Mapped[float | None]
    mean_steps: Mapped[float | None]
    cost_bit_budget: Mapped[float | None]
    cost_s_ace: Mapped[float | None]
    cost_ns_ace: Mapped[float | None]
    cost_weight_kib: Mapped[float | None]
    cost_spike_kib: Mapped[float | None]
    cost_sops: Mapped[float | None]
    cost_cycles: Mapped[float | None]
    cost_energy_uj: Mapped[float | None]
    cost_table: Mapped[float | None]
    created_at: Mapped[datetime]


class FrontExtent(InWorkspace, Base):
    """Of the points of a job that have a cost by a metric: how many, and the greatest cost of a feasible one.

    Counts and the greatest of a growing set only grow, so each new point brings them up to date.
    """

    __tablename__ = "front_extents"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[int]
    greatest: Mapped[float]
