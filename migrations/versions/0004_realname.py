"""Real-name verification: cases of the legal representative's way, evidence, 需重新认证.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification_cases",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("company_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("person_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("manager_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handover_hash", sa.LargeBinary(), nullable=True),
        sa.Column("handover_until", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handover_opened_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_verification_cases_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_verification_cases_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_cases")),
        sa.UniqueConstraint("handover_hash", name=op.f("uq_verification_cases_handover_hash")),
    )
    op.create_index(op.f("ix_verification_cases_enterprise_id"), "verification_cases", ["enterprise_id"])
    op.create_index(
        "uq_verification_cases_open",
        "verification_cases",
        ["enterprise_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.add_column("verifications", sa.Column("details", sa.LargeBinary(), nullable=True))
    op.add_column("verifications", sa.Column("ended_at", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("enterprises", sa.Column("renew_since", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("enterprises", sa.Column("renew_why", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("enterprises", "renew_why")
    op.drop_column("enterprises", "renew_since")
    op.drop_column("verifications", "ended_at")
    op.drop_column("verifications", "details")
    op.drop_table("verification_cases")
