"""Trials keep how many of their study's trials they count as; those stored before count as one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column with a constant default, so that no row has to be rewritten."""
    op.add_column("trials", sa.Column("share", sa.Integer(), nullable=False, server_default="1"))
