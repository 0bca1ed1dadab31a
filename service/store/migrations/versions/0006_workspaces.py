"""Workspaces and keys; everything that was stored before belongs to the workspace `default`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OWNED = (
    "jobs", "studies", "trials", "attempts", "epochs", "points", "front_members", "events",
    "ablations", "ablation_variants",
)
KEYED = ("jobs", "ablations")
INDEXES = (
    ("ix_jobs_workspace_id_seq", "jobs", ["workspace_id", "seq"]),
    ("ix_jobs_workspace_id_state", "jobs", ["workspace_id", "state"]),
    ("ix_jobs_workspace_id_created_at", "jobs", ["workspace_id", "created_at"]),
    ("ix_trials_workspace_id_finished_at", "trials", ["workspace_id", "finished_at"]),
    ("ix_ablations_workspace_id_seq", "ablations", ["workspace_id", "seq"]),
)


def upgrade() -> None:
    """Columns with constant defaults, so that no row has to be rewritten but those with idempotency keys."""
    _make_tables()
    for table in OWNED:
        op.add_column(table, sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"))
    op.add_column("jobs", sa.Column("devices", sa.Double(), nullable=False, server_default="1"))
    op.add_column("trials", sa.Column("stored_bytes", BIG, nullable=False, server_default="0"))
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for table in KEYED:
        op.execute(
            f"UPDATE {table} SET idempotency_key = 'default ' || idempotency_key "
            "WHERE idempotency_key IS NOT NULL"
        )


def downgrade() -> None:
    """All workspaces become one that needs no key; idempotency keys stay where they cannot clash."""
    for table in KEYED:
        op.execute(f"UPDATE {table} SET idempotency_key = NULL WHERE workspace_id <> 'default'")
        op.execute(f"UPDATE {table} SET idempotency_key = substr(idempotency_key, {len('default ') + 1})")
    for name, table, _ in INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_column("trials", "stored_bytes")
    op.drop_column("jobs", "devices")
    for table in reversed(OWNED):
        op.drop_column(table, "workspace_id")
    for table in ("sign_ins", "keys", "workspaces"):
        op.drop_table(table)


def _make_tables() -> None:
    workspaces = op.create_table(
        "workspaces",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("max_queued_jobs", sa.Integer(), nullable=True),
        sa.Column("max_trials_per_day", sa.Integer(), nullable=True),
        sa.Column("max_device_hours", sa.Double(), nullable=True),
        sa.Column("max_stored_bytes", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.execute(workspaces.insert().values(id="default", created_at=sa.func.current_timestamp()))
    op.create_table(
        "keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("secret_sha256", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_keys_workspace_id_workspaces"),
    )
    op.create_index("ix_keys_workspace_id", "keys", ["workspace_id"])
    op.create_table(
        "sign_ins",
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_sign_ins_key_id_keys"),
    )
    op.create_index("ix_sign_ins_key_id", "sign_ins", ["key_id"])
