"""报障: tickets of stuck pushes.

Revision: 0011, after 0010
"""

revision = "0011"
down_revision = "0010"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
