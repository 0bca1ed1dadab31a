"""Epochs keep the bits of each layer where training may change them; those stored before have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that may be empty, so that no row has to be rewritten."""
    op.add_column("epochs", sa.Column("layer_bits", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("epochs", "layer_bits")
