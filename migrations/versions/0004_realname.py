"""Real-name verification: cases of the legal representative's way, evidence, 需重新认证.

Revision: 0004, after 0003
"""

revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
