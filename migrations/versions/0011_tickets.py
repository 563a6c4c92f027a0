"""报障: tickets of stuck pushes.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0011"
down_revision = "0010"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_diagnoses",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("order_no", sa.String(), nullable=False),
        sa.Column("dxp_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_push_diagnoses_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_diagnoses")),
    )
    op.create_index(op.f("ix_push_diagnoses_enterprise_id"), "push_diagnoses", ["enterprise_id"])
    op.create_table(
        "tickets",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("dxp_id", sa.String(), nullable=False),
        sa.Column("diagnosis_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("mailed_to", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("solved_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_tickets_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(
            ["diagnosis_id"], ["push_diagnoses.id"], name=op.f("fk_tickets_diagnosis_id_push_diagnoses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
        sa.UniqueConstraint("diagnosis_id", name=op.f("uq_tickets_diagnosis_id")),
    )
    op.create_index("ix_tickets_list", "tickets", ["enterprise_id", "customs_code", "at"])


def downgrade() -> None:
    op.drop_table("tickets")
    op.drop_table("push_diagnoses")
