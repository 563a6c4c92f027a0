"""A receipt is known by what it says: one index less for each of the many thousand that come.

Revision: 0014, after 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = depends_on = None

KEY = ["guid", "status", "time", "enterprise_id"]


def upgrade() -> None:
    op.drop_constraint(op.f("pk_receipts"), "receipts")
    op.drop_constraint(op.f("uq_receipts_guid_status_time_enterprise_id"), "receipts")
    op.create_primary_key(op.f("pk_receipts"), "receipts", KEY)


def downgrade() -> None:
    op.drop_constraint(op.f("pk_receipts"), "receipts")
    op.create_primary_key(op.f("pk_receipts"), "receipts", ["serial"])
    op.create_unique_constraint(op.f("uq_receipts_guid_status_time_enterprise_id"), "receipts", KEY)
