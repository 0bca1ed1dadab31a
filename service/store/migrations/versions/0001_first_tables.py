"""The first form of the tables: jobs, studies, trials, attempts, epochs, points, fronts, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUERIED = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "jobs",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_digest", sa.String(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("trials_planned", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_token", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_jobs_idempotency_key"),
    )
    op.create_index("ix_jobs_state_seq", "jobs", ["state", "seq"])
    op.create_table(
        "events",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_events_job_id_jobs"),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_job_id_seq", "events", ["job_id", "seq"])
    op.create_table(
        "studies",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_studies_job_id_jobs"),
        sa.PrimaryKeyConstraint("seq", name="pk_studies"),
        sa.UniqueConstraint("id", name="uq_studies_id"),
        sa.UniqueConstraint("job_id", "method", "seed", name="uq_studies_job_id_method_seed"),
        sa.UniqueConstraint("job_id", "ordinal", name="uq_studies_job_id_ordinal"),
    )
    op.create_table(
        "trials",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("study_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("reused_from", sa.String(), nullable=True),
        sa.Column("proposal", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("epochs_done", sa.Integer(), nullable=False),
        sa.Column("samples", SEQ, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_trials_job_id_jobs"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_trials_study_id_studies"),
        sa.PrimaryKeyConstraint("seq", name="pk_trials"),
        sa.UniqueConstraint("id", name="uq_trials_id"),
        sa.UniqueConstraint("study_id", "number", name="uq_trials_study_id_number"),
    )
    op.create_index("ix_trials_fingerprint_state", "trials", ["fingerprint", "state"])
    op.create_index("ix_trials_job_id_seq", "trials", ["job_id", "seq"])
    op.create_table(
        "attempts",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("first_epoch", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_attempts_trial_id_trials"),
        sa.PrimaryKeyConstraint("seq", name="pk_attempts"),
        sa.UniqueConstraint("trial_id", "number", name="uq_attempts_trial_id_number"),
    )
    op.create_table(
        "epochs",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("samples", SEQ, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("learning_rate", sa.Double(), nullable=False),
        sa.Column("train_loss", sa.Double(), nullable=False),
        sa.Column("train_accuracy", sa.Double(), nullable=False),
        sa.Column("validation_accuracy", sa.Double(), nullable=False),
        sa.Column("budget_cost", sa.Double(), nullable=False),
        sa.Column("mean_weight_bits", sa.Double(), nullable=False),
        sa.Column("mean_spike_bits", sa.Double(), nullable=False),
        sa.Column("mean_steps", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_epochs_trial_id_trials"),
        sa.PrimaryKeyConstraint("trial_id", "epoch", name="pk_epochs"),
    )
    op.create_table(
        "points",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("study_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("place", SEQ, nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("allocation", sa.JSON(), nullable=False),
        sa.Column("costs", QUERIED, nullable=False),
        sa.Column("cost_versions", sa.JSON(), nullable=False),
        sa.Column("rates", sa.JSON(), nullable=False),
        sa.Column("budget_cost", sa.Double(), nullable=False),
        sa.Column("validation_accuracy", sa.Double(), nullable=False),
        sa.Column("test_accuracy", sa.Double(), nullable=False),
        sa.Column("feasible", sa.Boolean(), nullable=False),
        sa.Column("checkpoint_trial", sa.String(), nullable=False),
        sa.Column("checkpoint", sa.String(), nullable=False),
        sa.Column("checkpoint_sha256", sa.String(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_points_job_id_jobs"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_points_study_id_studies"),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_points_trial_id_trials"),
        sa.PrimaryKeyConstraint("seq", name="pk_points"),
        sa.UniqueConstraint("id", name="uq_points_id"),
        sa.UniqueConstraint("trial_id", "ordinal", name="uq_points_trial_id_ordinal"),
    )
    op.create_index("ix_points_job_id_place", "points", ["job_id", "place"])
    op.create_index("ix_points_job_id_seq", "points", ["job_id", "seq"])
    op.create_index("ix_points_study_id_place", "points", ["study_id", "place"])
    op.create_table(
        "front_members",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("point_id", sa.String(), nullable=False),
        sa.Column("place", SEQ, nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_front_members_job_id_jobs"),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name="fk_front_members_point_id_points"),
        sa.PrimaryKeyConstraint("job_id", "metric", "method", "point_id", name="pk_front_members"),
    )


def downgrade() -> None:
    """Back to an empty database."""
    op.drop_table("front_members")
    op.drop_table("points")
    op.drop_table("epochs")
    op.drop_table("attempts")
    op.drop_table("trials")
    op.drop_table("studies")
    op.drop_table("events")
    op.drop_table("jobs")
