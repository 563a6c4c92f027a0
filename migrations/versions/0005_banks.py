"""Bank UKEY verification: requests to a bank and their answers.

Revision: 0005, after 0004
"""

revision = "0005"
down_revision = "0004"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
