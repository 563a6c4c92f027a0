"""客户资料 and what 企业资料 and 业务策略 hold besides.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0008"
down_revision = "0007"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_clients",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_export_clients_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_clients")),
        sa.UniqueConstraint(
            "enterprise_id", "customs_code", "number", name=op.f("uq_export_clients_enterprise_id_customs_code_number")
        ),
    )
    op.create_index("ix_export_clients_list", "export_clients", ["enterprise_id", "customs_code", "created_at", "id"])
    op.create_index("ix_export_clients_phone", "export_clients", ["enterprise_id", "phone_index"])
    op.add_column("strategies", sa.Column("declarant_id", sa.Uuid(), nullable=True))
    op.add_column(
        "strategies", sa.Column("details", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.alter_column("strategies", "details", server_default=None)
    op.create_foreign_key(
        op.f("fk_strategies_declarant_id_company_profiles"), "strategies", "company_profiles", ["declarant_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_column("strategies", "details")
    op.drop_column("strategies", "declarant_id")
    op.drop_table("export_clients")
