"""Export documents of every kind.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = depends_on = None

TALLIES = ("declaring", "success", "failed")
TALLY = """
UPDATE customs_messages m SET declaring = t.declaring, success = t.success, failed = t.failed
FROM (SELECT m.id, count(*) FILTER (WHERE o.state = 'declaring') AS declaring,
             count(*) FILTER (WHERE o.state = 'success') AS success, count(*) FILTER (WHERE o.state = 'failed') AS failed
      FROM customs_messages m JOIN export_orders o ON o.task_id = m.task_id AND (o.place - 1) / 100 = m.block
           AND o.place BETWEEN m.first_place AND m.last_place GROUP BY m.id) t
WHERE m.id = t.id
"""
# What is compressed by pglz costs more than it saves; a server that was built without lz4 keeps it.
COMPRESS = """
DO $$ BEGIN
    ALTER TABLE customs_messages ALTER COLUMN canonical SET COMPRESSION lz4, ALTER COLUMN signed SET COMPRESSION lz4;
    ALTER TABLE inbox_files ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN NULL;
END $$
"""
OWNER = ["enterprise_id", "customs_code"]
INDEXES = {  # name → (columns after the owner's before, after it now, condition before, condition now)
    "uq_export_orders_order_no": (["order_no"], ["kind", "order_no"], None, "app_type = 1"),
    "ix_export_orders_list": (["serial"], ["kind", "serial"], None, None),
    "ix_export_orders_open": (["serial"], ["kind", "state", "serial"], "state IS DISTINCT FROM 'success'",
                              "state IS DISTINCT FROM 'success'"),
    "ix_export_orders_concluded": (["serial"], ["kind", "serial"], "return_status = 399", "return_status = 399"),
}  # fmt: skip


def upgrade() -> None:
    op.add_column("export_orders", sa.Column("kind", sa.String(), server_default="303", nullable=False))
    op.add_column("export_orders", sa.Column("app_type", sa.SmallInteger(), server_default="1", nullable=False))
    data = sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False)
    op.add_column("export_orders", data)
    for name in TALLIES:
        op.add_column("customs_messages", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.execute(TALLY)
    op.execute(COMPRESS)
    op.add_column("customs_messages", sa.Column("kind", sa.String(), server_default="303", nullable=False))
    make_indexes(1, 3)
    waybill = sa.text("kind = '505'")
    repeats = sa.text("app_type > 1")
    op.create_index("ix_export_orders_repeats", "export_orders", ["id"], postgresql_where=repeats)
    op.create_index("ix_export_orders_waybill", "export_orders", ["order_no"], postgresql_where=waybill)
    op.add_column("receipts", sa.Column("extra", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("receipts", "extra")
    op.drop_index("ix_export_orders_waybill", table_name="export_orders")
    op.drop_index("ix_export_orders_repeats", table_name="export_orders")
    make_indexes(0, 2)
    for name in ("kind", *TALLIES):
        op.drop_column("customs_messages", name)
    for name in ("data", "app_type", "kind"):
        op.drop_column("export_orders", name)


def make_indexes(columns: int, condition: int) -> None:
    for name, row in INDEXES.items():
        where = sa.text(row[condition]) if row[condition] else None
        is_unique = name.startswith("uq")
        op.drop_index(name, table_name="export_orders")
        op.create_index(
            name,
            "export_orders",
            [*OWNER, *row[columns]],
            unique=is_unique,
            postgresql_where=where,
            postgresql_ops={"order_no": "text_pattern_ops"} if is_unique else {},
        )
