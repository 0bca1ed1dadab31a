"""Epochs count the step sizes that were renewed in them; those stored before do not tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that may be empty, so that no row has to be rewritten."""
    op.add_column("epochs", sa.Column("renewals", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("epochs", "renewals")
