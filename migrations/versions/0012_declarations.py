"""报关单 made from pushed orders.

Revision: 0012, after 0011
"""

revision = "0012"
down_revision = "0011"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
