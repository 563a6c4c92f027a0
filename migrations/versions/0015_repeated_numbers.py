"""Numbers of 变更 and 删除 have an index of their own, since that of the documents leaves them out.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_export_orders_repeated_no", "export_orders", ["enterprise_id", "customs_code", "kind", "order_no"],
        postgresql_ops={"order_no": "text_pattern_ops"}, postgresql_where=sa.text("app_type > 1"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_export_orders_repeated_no", table_name="export_orders")
