"""Points keep loss and balanced accuracy, and the score of their job's objective; what was stored has accuracy.

Everything before was searched for accuracy, so its scores are its accuracies.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MEASURED = {
    "points": (
        "validation_balanced_accuracy",
        "test_balanced_accuracy",
        "validation_loss",
        "test_loss",
    ),
    "epochs": ("validation_balanced_accuracy", "validation_loss"),
}
SCORES = {"score": "validation_accuracy", "test_score": "test_accuracy"}


def upgrade() -> None:
    """Columns that may be empty, and scores, which are filled in one statement."""
    for table, columns in MEASURED.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Double(), nullable=True))
    for column in SCORES:
        op.add_column("points", sa.Column(column, sa.Double(), nullable=False, server_default="0"))
    op.execute("UPDATE points SET score = validation_accuracy, test_score = test_accuracy")
    op.execute("ALTER TABLE front_members RENAME COLUMN accuracy TO score")


def downgrade() -> None:
    """Fronts of jobs with another objective stay as they were chosen; accuracies were never lost."""
    op.execute("ALTER TABLE front_members RENAME COLUMN score TO accuracy")
    for column in SCORES:
        op.drop_column("points", column)
    for table, columns in MEASURED.items():
        for column in columns:
            op.drop_column(table, column)
