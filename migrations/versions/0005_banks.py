"""Bank UKEY verification: requests to a bank and their answers.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0005"
down_revision = "0004"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_visits",
        sa.Column("cookie_hash", sa.LargeBinary(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("refusal", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_bank_visits_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bank_visits_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_visits")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_bank_visits_cookie_hash")),
    )
    op.create_index(op.f("ix_bank_visits_at"), "bank_visits", ["at"], unique=False)
    op.create_index(op.f("ix_bank_visits_user_id"), "bank_visits", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("bank_visits")
