"""Tokens with scope, expiry and addresses, requests of programs, webhooks.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0010"
down_revision = "0009"
branch_labels = depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, types.UtcDateTime(timezone=True), nullable=nullable)


def json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=True)


def upgrade() -> None:
    for name in ("scopes", "addresses"):
        op.add_column(
            "import_clients", sa.Column(name, postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
        )
        op.alter_column("import_clients", name, server_default=None)
    op.add_column("import_clients", moment("expires_at", nullable=True))
    op.execute("UPDATE import_clients SET expires_at = created_at + interval '1 year'")
    op.alter_column("import_clients", "expires_at", nullable=False)
    op.create_table(
        "program_requests",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        json("answer"),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        moment("at"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["import_clients.id"], name=op.f("fk_program_requests_client_id_import_clients")
        ),
        sa.PrimaryKeyConstraint("client_id", "key", name=op.f("pk_program_requests")),
    )
    op.create_index("ix_program_requests_at", "program_requests", ["at"])
    op.create_table(
        "webhooks",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        moment("seen_to"),
        moment("stopped_at", nullable=True),
        moment("changed_at"),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["import_clients.id"], name=op.f("fk_webhooks_client_id_import_clients")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("client_id", name=op.f("uq_webhooks_client_id")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        json("problem"),
        moment("created_at"),
        moment("next_at", nullable=True),
        moment("tried_at", nullable=True),
        moment("delivered_at", nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], ondelete="CASCADE", name=op.f("fk_webhook_deliveries_webhook_id_webhooks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(
        "ix_webhook_deliveries_due", "webhook_deliveries", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.create_index("ix_webhook_deliveries_list", "webhook_deliveries", ["webhook_id", "created_at"])
    brin = {"postgresql_using": "brin"}
    op.create_index(
        "ix_export_orders_changed", "export_orders", ["changed_at"],
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"}, **brin,
    )  # fmt: skip
    op.create_index("ix_imports_ended_at", "imports", ["ended_at"])


def downgrade() -> None:
    op.drop_index("ix_imports_ended_at", table_name="imports")
    op.drop_index("ix_export_orders_changed", table_name="export_orders")
    for table in ("webhook_deliveries", "webhooks", "program_requests"):
        op.drop_table(table)
    for name in ("expires_at", "addresses", "scopes"):
        op.drop_column("import_clients", name)
