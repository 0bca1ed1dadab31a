"""The queue: priorities, fair turns, claims without progress, traces, incidents and dispatchers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
CLAIMS = "ix_jobs_workspace_id_state_priority_seq"
BEFORE = "ix_jobs_workspace_id_state"


def upgrade() -> None:
    """Columns with constant defaults: no row is rewritten. The index of claims has all of the one it replaces."""
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("fruitless_claims", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("jobs", sa.Column("trace_id", sa.String(), nullable=True))
    op.add_column("workspaces", sa.Column("last_claimed_at", TIME, nullable=True))
    op.drop_index(BEFORE, table_name="jobs")
    op.create_index(CLAIMS, "jobs", ["workspace_id", "state", "priority", "seq"])
    op.create_index("ix_jobs_lease_expires_at", "jobs", ["lease_expires_at"])
    op.create_index("ix_trials_state_seconds", "trials", ["state", "seconds"])
    op.create_table(
        "incidents",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=True),
        sa.Column("trial_id", sa.String(), nullable=True),
        sa.Column("dispatcher", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_incidents_job_id_jobs"),
        sa.PrimaryKeyConstraint("seq", name="pk_incidents"),
    )
    op.create_index("ix_incidents_job_id_seq", "incidents", ["job_id", "seq"])
    op.create_index("ix_incidents_kind", "incidents", ["kind"])
    op.create_table(
        "dispatchers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("lease_seconds", sa.Double(), nullable=False),
        sa.Column("ray", sa.JSON(), nullable=True),
        sa.Column("ray_seen_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dispatchers"),
    )


def downgrade() -> None:
    """Priorities, traces and incidents are lost; jobs and their results stay."""
    op.drop_table("dispatchers")
    op.drop_table("incidents")
    op.drop_index("ix_trials_state_seconds", table_name="trials")
    op.drop_index("ix_jobs_lease_expires_at", table_name="jobs")
    op.drop_index(CLAIMS, table_name="jobs")
    op.create_index(BEFORE, "jobs", ["workspace_id", "state"])
    op.drop_column("workspaces", "last_claimed_at")
    for column in ("trace_id", "reason", "fruitless_claims", "priority"):
        op.drop_column("jobs", column)
