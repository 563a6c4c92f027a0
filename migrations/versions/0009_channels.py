"""Channels and signers of a company, sending state.

Revision: 0009, after 0008
"""

revision = "0009"
down_revision = "0008"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
