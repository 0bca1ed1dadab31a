"""Ablations: each with its variants, and the jobs that train them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """New tables only; what is stored stays as it is."""
    op.create_table(
        "ablations",
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_digest", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ablations"),
        sa.UniqueConstraint("id", name="uq_ablations_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_ablations_idempotency_key"),
    )
    op.create_table(
        "ablation_variants",
        sa.Column("ablation_id", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ablation_id"], ["ablations.id"], name="fk_ablation_variants_ablation_id_ablations"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_ablation_variants_job_id_jobs"),
        sa.PrimaryKeyConstraint("ablation_id", "group", "variant", "job_id", name="pk_ablation_variants"),
        sa.UniqueConstraint("ablation_id", "place", name="uq_ablation_variants_ablation_id_place"),
    )
    op.create_index("ix_ablation_variants_job_id", "ablation_variants", ["job_id"])


def downgrade() -> None:
    """The jobs of ablations stay."""
    op.drop_table("ablation_variants")
    op.drop_table("ablations")
