"""Batches, each with its jobs, and the labels of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """New tables only; what is stored stays as it is."""
    op.create_table(
        "job_batches",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_digest", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_job_batches"),
        sa.UniqueConstraint("id", name="uq_job_batches_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_job_batches_idempotency_key"),
    )
    op.create_index("ix_job_batches_workspace_id_seq", "job_batches", ["workspace_id", "seq"])
    op.create_table(
        "batch_jobs",
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("overrides", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_batch_jobs_job_id_jobs"),
        sa.ForeignKeyConstraint(["batch_id"], ["job_batches.id"], name="fk_batch_jobs_batch_id_job_batches"),
        sa.PrimaryKeyConstraint("job_id", name="pk_batch_jobs"),
        sa.UniqueConstraint("batch_id", "place", name="uq_batch_jobs_batch_id_place"),
    )
    op.create_table(
        "job_labels",
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_labels_job_id_jobs"),
        sa.PrimaryKeyConstraint("job_id", "key", name="pk_job_labels"),
    )
    op.create_index(
        "ix_job_labels_workspace_id_key_value", "job_labels", ["workspace_id", "key", "value"]
    )


def downgrade() -> None:
    """The jobs of batches stay."""
    op.drop_table("job_labels")
    op.drop_table("batch_jobs")
    op.drop_table("job_batches")
