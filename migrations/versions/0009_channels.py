"""Channels and signers of a company, sending state.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0009"
down_revision = "0008"
branch_labels = depends_on = None


def moment(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, types.UtcDateTime(timezone=True), nullable=nullable)


def sentence(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "profile_channels",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("send_host", sa.String(), nullable=False),
        sa.Column("receive_host", sa.String(), nullable=False),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("accounts_sealed", sa.LargeBinary(), nullable=True),
        moment("unattended_at"),
        sa.Column("unattended_by", sa.String(), nullable=False),
        sentence("problem"),
        moment("receive_due_at"),
        moment("changed_at", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["company_profiles.id"], name=op.f("fk_profile_channels_profile_id_company_profiles")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_profile_channels_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_channels")),
        sa.UniqueConstraint("profile_id", name=op.f("uq_profile_channels_profile_id")),
    )
    op.create_index(op.f("ix_profile_channels_enterprise_id"), "profile_channels", ["enterprise_id"])
    op.create_table(
        "line_holds",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("dxp_id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        moment("since", nullable=False),
        moment("next_at", nullable=False),
        sentence("sentence", nullable=False),
        sa.PrimaryKeyConstraint("enterprise_id", "dxp_id", "act", name=op.f("pk_line_holds")),
    )
    op.create_table(
        "sending_pauses",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        moment("at", nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_sending_pauses_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_sending_pauses")),
    )
    op.create_table(
        "message_refusals",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sentence("sentence", nullable=False),
        moment("at", nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["customs_messages.id"], ondelete="CASCADE",
            name=op.f("fk_message_refusals_message_id_customs_messages"),
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_refusals")),
    )  # fmt: skip
    op.create_table(
        "signing_orders",
        sa.Column("push_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        moment("at", nullable=False),
        moment("leased_until", nullable=False),
        moment("done_at"),
        sentence("problem"),
        sa.ForeignKeyConstraint(["push_id"], ["pushes.id"], name=op.f("fk_signing_orders_push_id_pushes")),
        sa.PrimaryKeyConstraint("push_id", name=op.f("pk_signing_orders")),
    )
    op.create_index(
        "ix_signing_orders_open", "signing_orders", ["leased_until"], postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(
        "ix_customs_messages_refused", "customs_messages", ["enterprise_id", "signed_at"],
        postgresql_where=sa.text("state = 'refused'"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_customs_messages_refused", table_name="customs_messages")
    for table in ("signing_orders", "message_refusals", "sending_pauses", "line_holds", "profile_channels"):
        op.drop_table(table)
