"""Epochs keep the share of their time that passed waiting for data; those stored before have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that may be empty, so that no row has to be rewritten."""
    op.add_column("epochs", sa.Column("data_wait_share", sa.Double(), nullable=True))
