"""Jobs, and all that comes of them: studies, trials, attempts, epochs, points, fronts, events and labels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import DOCUMENT, OPTIONAL_DOCUMENT, QUERIED, SEQ
from service.store.workspace_scope import InWorkspace


class Job(InWorkspace, Base):
    """A submitted search, its lease and its end; `devices` are those that a trial of it holds.

    `fruitless_claims` counts claims since the last progress; `reason` is a word for programs where the
    service gave the job up. A greater `priority` is claimed earlier.

    `idempotency_key` begins with the workspace and a space (no key has one), which keeps workspaces apart.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "seq"),
        Index(None, "workspace_id", "seq"),
        Index(None, "workspace_id", "state", "priority", "seq"),
        Index(None, "lease_expires_at"),
        Index(None, "workspace_id", "created_at"),
    )

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str]
    spec: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    spec_digest: Mapped[str]
    plan: Mapped[dict[str, Any]] = mapped_column(DOCUMENT, deferred=True)  # long with a search space
    trials_planned: Mapped[int]
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    lease_owner: Mapped[str | None]
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_expires_at: Mapped[datetime | None]
    devices: Mapped[float] = mapped_column(default=1.0, server_default="1")
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    fruitless_claims: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str | None]
    trace_id: Mapped[str | None]


class Study(InWorkspace, Base):
    """One (method, seed) of a job; `ordinal` is its place among the job's studies."""

    __tablename__ = "studies"
    __table_args__ = (UniqueConstraint("job_id", "method", "seed"), UniqueConstraint("job_id", "ordinal"))

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    ordinal: Mapped[int]
    method: Mapped[str]
    seed: Mapped[int]
    finished: Mapped[bool] = mapped_column(default=False)


class Trial(InWorkspace, Base):
    """One training run, planned, running or ended; `seconds` is the wall time of all its attempts.

    `share` is how many of its study's trials it counts as, `stored_bytes` what its folder held at its end.
    """

    __tablename__ = "trials"
    __table_args__ = (
        UniqueConstraint("study_id", "number"),
        Index(None, "job_id", "seq"),
        Index(None, "fingerprint", "state"),
        Index(None, "state", "seconds"),
        Index(None, "workspace_id", "finished_at"),
    )

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    method: Mapped[str]
    seed: Mapped[int]
    round: Mapped[int]
    number: Mapped[int]
    share: Mapped[int] = mapped_column(default=1, server_default="1")
    state: Mapped[str]
    reason: Mapped[str | None]
    message: Mapped[str | None]
    reused_from: Mapped[str | None]
    proposal: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    fingerprint: Mapped[str]
    epochs_done: Mapped[int] = mapped_column(default=0)
    samples: Mapped[int] = mapped_column(SEQ, default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    stored_bytes: Mapped[int] = mapped_column(SEQ, default=0, server_default="0")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Attempt(InWorkspace, Base):
    """One try at running a trial, under the lease with this token."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("trial_id", "number"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.id"))
    number: Mapped[int]
    token: Mapped[int]
    state: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    first_epoch: Mapped[int | None]
    message: Mapped[str | None]


class Epoch(InWorkspace, Base):
    """One epoch of a trial's learning curve; an epoch that is trained again replaces its row."""

    __tablename__ = "epochs"

    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    samples: Mapped[int] = mapped_column(SEQ)
    seconds: Mapped[float]
    learning_rate: Mapped[float]
    train_loss: Mapped[float]
    train_accuracy: Mapped[float]
    validation_accuracy: Mapped[float]
    budget_cost: Mapped[float]
    mean_weight_bits: Mapped[float]
    mean_spike_bits: Mapped[float]
    mean_steps: Mapped[float]
    data_wait_share: Mapped[float | None]  # None where it was not measured, as the next two
    validation_balanced_accuracy: Mapped[float | None]
    validation_loss: Mapped[float | None]
    # By layer, of trainings whose bits may change; long, so only who asks for it reads it.
    layer_bits: Mapped[dict[str, Any] | None] = mapped_column(OPTIONAL_DOCUMENT, deferred=True)
    # Step sizes of each of those layers that were renewed in the epoch; None where that was not counted.
    renewals: Mapped[dict[str, int] | None] = mapped_column(OPTIONAL_DOCUMENT, deferred=True)


class Point(InWorkspace, Base):
    """A realised allocation.

    `score` is the objective of its job on the validation split, `test_score` that on the test split
    (search.objective); they are all that fronts, best points and comparisons read.
    `place` orders the points of a job by study, trial and ordinal, whenever each was stored.
    `checkpoint_trial` names the trial whose folder holds the checkpoint: another one where it was reused.
    """

    __tablename__ = "points"
    __table_args__ = (
        UniqueConstraint("trial_id", "ordinal"),
        Index(None, "job_id", "seq"),
        Index(None, "job_id", "place"),
        Index(None, "study_id", "place"),
    )

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.id"))
    ordinal: Mapped[int]
    place: Mapped[int] = mapped_column(SEQ)
    method: Mapped[str]
    seed: Mapped[int]
    allocation: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    costs: Mapped[dict[str, dict[str, float]]] = mapped_column(QUERIED)
    cost_versions: Mapped[dict[str, int]] = mapped_column(DOCUMENT)
    rates: Mapped[dict[str, list[float]]] = mapped_column(DOCUMENT)
    budget_cost: Mapped[float]  # in the metric and scope of the job's budget
    validation_accuracy: Mapped[float]
    test_accuracy: Mapped[float]
    validation_balanced_accuracy: Mapped[float | None]  # None where it was not measured, as the next three
    test_balanced_accuracy: Mapped[float | None]
    validation_loss: Mapped[float | None]
    test_loss: Mapped[float | None]
    score: Mapped[float] = mapped_column(server_default="0")
    test_score: Mapped[float] = mapped_column(server_default="0")
    feasible: Mapped[bool]
    checkpoint_trial: Mapped[str]
    checkpoint: Mapped[str]
    checkpoint_sha256: Mapped[str]
    provenance: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    created_at: Mapped[datetime]


class FrontMember(InWorkspace, Base):
    """A point on the front of its job by one metric: of one method, or overall where `method` is empty."""

    __tablename__ = "front_members"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    point_id: Mapped[str] = mapped_column(ForeignKey("points.id"), primary_key=True)
    place: Mapped[int] = mapped_column(SEQ)
    cost: Mapped[float]
    score: Mapped[float]


class Event(InWorkspace, Base):
    """One entry of a job's event stream."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "job_id", "seq"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    created_at: Mapped[datetime]


class JobLabel(InWorkspace, Base):
    """A word that people attach to a job, and may change; it takes no part in what is trained."""

    __tablename__ = "job_labels"
    __table_args__ = (Index(None, "workspace_id", "key", "value"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
