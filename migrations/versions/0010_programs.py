"""Tokens with scope, webhooks, trial submissions.

Revision: 0010, after 0009
"""

revision = "0010"
down_revision = "0009"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
