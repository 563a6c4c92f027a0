"""报关单 made from pushed orders.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0012"
down_revision = "0011"
branch_labels = depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, types.UtcDateTime(timezone=True), nullable=nullable)


def words(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "declarations",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        *words("customs_code"),
        sa.Column("strategy_id", sa.Uuid(), nullable=False),
        *words("number", "state"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("head", postgresql.JSONB(), nullable=False),
        sa.Column("goods", postgresql.JSONB(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        moment("made_at", nullable=True),
        moment("handed_at", nullable=True),
        sa.Column("seq_no", sa.String(), nullable=True),
        sa.Column("entry_id", sa.String(), nullable=True),
        *words("channel", "note", "noted_at"),
        moment("created_at"),
        *words("created_by"),
        moment("changed_at"),
        *words("changed_by"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_declarations_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategies.id"], name=op.f("fk_declarations_strategy_id_strategies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declarations")),
        sa.UniqueConstraint("number", name=op.f("uq_declarations_number")),
    )
    op.create_index("ix_declarations_list", "declarations", ["enterprise_id", "customs_code", "created_at", "id"])
    op.create_index(
        "ix_declarations_seq_no", "declarations", ["enterprise_id", "seq_no"],
        postgresql_where=sa.text("seq_no IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "declaration_orders",
        sa.Column("declaration_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declarations.id"], ondelete="CASCADE",
            name=op.f("fk_declaration_orders_declaration_id_declarations"),
        ),
        sa.PrimaryKeyConstraint("declaration_id", "order_id", name=op.f("pk_declaration_orders")),
    )  # fmt: skip
    op.create_index(
        "uq_declaration_orders_live", "declaration_orders", ["order_id"], unique=True,
        postgresql_where=sa.text("is_live"),
    )  # fmt: skip
    op.create_table(
        "declaration_folders",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        moment("at"),
        *words("by"),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_declaration_folders_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_declaration_folders")),
    )
    op.create_table(
        "declaration_answers",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("declaration_id", sa.Uuid(), nullable=True),
        *words("name"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *words("kind", "odd", "number", "seq_no", "entry_id", "channel", "note", "time"),
        moment("at"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_declaration_answers_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declarations.id"], ondelete="SET NULL",
            name=op.f("fk_declaration_answers_declaration_id_declarations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration_answers")),
        sa.UniqueConstraint("enterprise_id", "name", "sha256", name=op.f("uq_declaration_answers_enterprise_id_name_sha256")),
    )  # fmt: skip
    op.create_index(op.f("ix_declaration_answers_declaration_id"), "declaration_answers", ["declaration_id"])
    op.create_index(
        "ix_declaration_answers_new", "declaration_answers", ["at"], postgresql_where=sa.text("kind = ''")
    )  # fmt: skip
    op.create_index(
        "ix_declaration_answers_odd", "declaration_answers", ["enterprise_id", "at"],
        postgresql_where=sa.text("odd <> '' OR kind = 'garbled'"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("declaration_answers", "declaration_folders", "declaration_orders", "declarations"):
        op.drop_table(table)
