"""Accounts: recovery, rights, seals, import clients, agreements, claims of the desk.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models import types

revision = "0003"
down_revision = "0002"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreements",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("signed_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_agreements_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("enterprise_id", "customs_code", "district", name="uq_agreements_party"),
    )
    op.create_index("ix_agreements_company", "agreements", ["enterprise_id", "customs_code"], unique=False)
    op.create_table(
        "entrustments",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("client_code", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("agent_code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["enterprises.id"], name=op.f("fk_entrustments_agent_id_enterprises")),
        sa.ForeignKeyConstraint(["client_id"], ["enterprises.id"], name=op.f("fk_entrustments_client_id_enterprises")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrustments")),
    )
    op.create_index("ix_entrustments_agent", "entrustments", ["agent_id", "agent_code"], unique=False)
    op.create_index("ix_entrustments_client", "entrustments", ["client_id", "client_code"], unique=False)
    op.create_table(
        "join_requests",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_join_requests_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_requests")),
    )
    op.create_index(op.f("ix_join_requests_enterprise_id"), "join_requests", ["enterprise_id"], unique=False)
    op.create_table(
        "import_clients",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("send_folder", sa.String(), nullable=False),
        sa.Column("receive_folder", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("seen_version", sa.String(), nullable=False),
        sa.Column("revoked_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_import_clients_enterprise_id_enterprises")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_import_clients_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_clients")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_import_clients_token_hash")),
    )
    op.create_index(op.f("ix_import_clients_enterprise_id"), "import_clients", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_import_clients_user_id"), "import_clients", ["user_id"], unique=False)
    op.create_table(
        "known_devices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_known_devices_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "mark", name=op.f("pk_known_devices")),
    )
    op.create_table(
        "proofs",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("is_sent", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_proofs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_proofs_secret_hash")),
    )
    op.create_index(op.f("ix_proofs_at"), "proofs", ["at"], unique=False)
    op.create_index(op.f("ix_proofs_user_id"), "proofs", ["user_id"], unique=False)
    op.create_table(
        "register_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["documents.id"], name=op.f("fk_register_checks_id_documents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_checks")),
    )
    op.create_table(
        "seals",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprises.id"], name=op.f("fk_seals_enterprise_id_enterprises")),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_seals_file_id_files")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )
    op.create_index(op.f("ix_seals_enterprise_id"), "seals", ["enterprise_id"], unique=False)
    op.create_table(
        "seal_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_uses_seal_id_seals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_uses")),
    )
    op.create_index("ix_seal_uses_seal", "seal_uses", ["seal_id", "id"], unique=False)
    op.create_index("ix_decisions_at", "decisions", ["at"], unique=False)
    op.add_column("documents", sa.Column("given", sa.LargeBinary(), nullable=True))
    op.add_column(
        "enterprises", sa.Column("account_type", sa.String(), nullable=False, server_default=sa.text("'three-in-one'"))
    )
    op.add_column("enterprises", sa.Column("access_region", sa.String(), nullable=True))
    op.add_column("enterprises", sa.Column("inspection", sa.LargeBinary(), nullable=True))
    op.add_column("enterprises", sa.Column("closed_at", types.UtcDateTime(timezone=True), nullable=True))
    op.alter_column("enterprises", "name", type_=sa.String(collation="C"))
    op.create_index("ix_enterprises_name_id", "enterprises", ["name", "id"], unique=False)
    op.create_unique_constraint(op.f("uq_enterprises_org_code"), "enterprises", ["org_code"])
    op.drop_index(op.f("ix_events_enterprise_id"), table_name="events")
    op.create_index("ix_events_company", "events", ["enterprise_id", "id"], unique=False)
    op.add_column("logins", sa.Column("place", sa.LargeBinary(), nullable=True))
    op.add_column(
        "logins",
        sa.Column("tabs", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=sa.text("'[]'")),
    )
    op.add_column("open_stages", sa.Column("claimed_by", sa.Uuid(), nullable=True))
    op.add_column("open_stages", sa.Column("claimed_at", types.UtcDateTime(timezone=True), nullable=True))
    for column in ("kind", "tail"):
        op.add_column("open_stages", sa.Column(column, sa.String(), nullable=False, server_default=""))
        op.alter_column("open_stages", column, server_default=None)
    op.add_column("open_stages", sa.Column("title", sa.String(collation="C"), nullable=False, server_default=""))
    op.alter_column("open_stages", "title", server_default=None)
    op.execute(
        "UPDATE open_stages SET kind = d.kind, title = d.title, tail = right(d.number, 4)"
        " FROM documents d WHERE d.id = open_stages.document_id"
    )
    op.create_index("ix_open_stages_kind", "open_stages", ["desk", "kind", "due", "opened_at", "document_id"])
    op.create_index("ix_open_stages_title", "open_stages", ["desk", "title"])
    op.create_index("ix_open_stages_tail", "open_stages", ["tail"])
    op.create_foreign_key(op.f("fk_open_stages_claimed_by_users"), "open_stages", "users", ["claimed_by"], ["id"])
    op.create_index("ix_submissions_at", "submissions", ["at"], unique=False)
    op.add_column(
        "users",
        sa.Column("rights", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=sa.text("'{}'")),
    )
    op.add_column("users", sa.Column("initial_until", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("guarded_until", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("closing_at", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column(
        "users",
        sa.Column("reminders", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=sa.text("'{}'")),
    )
    op.add_column("users", sa.Column("papers", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("mobile_index", sa.LargeBinary(), nullable=True))
    op.add_column("bound_cards", sa.Column("reminded", sa.Integer(), nullable=True))
    op.create_index(
        "uq_users_administrator", "users", ["enterprise_id"], unique=True, postgresql_where="role = 'administrator'"
    )
    op.create_index(
        "ix_users_closing", "users", ["closing_at"], unique=False, postgresql_where="closing_at IS NOT NULL"
    )
    op.create_index(op.f("ix_users_mobile_index"), "users", ["mobile_index"], unique=False)
    for table, column in (
        ("enterprises", "account_type"),
        ("logins", "tabs"),
        ("users", "rights"),
        ("users", "reminders"),
    ):
        op.alter_column(table, column, server_default=None)  # it was there for the rows before
    op.execute("""UPDATE users SET rights = '{"exports": 3, "access": 3, "trade": 3}' WHERE role = 'operator'""")
    op.execute("UPDATE claims SET key = substr(key, 9, 9) WHERE scope = 'company' AND length(key) = 18")


def downgrade() -> None:
    op.drop_index("uq_users_administrator", table_name="users")
    op.drop_column("bound_cards", "reminded")
    op.drop_index(op.f("ix_users_mobile_index"), table_name="users")
    op.drop_index("ix_users_closing", table_name="users", postgresql_where="closing_at IS NOT NULL")
    op.drop_column("users", "mobile_index")
    op.drop_column("users", "papers")
    op.drop_column("users", "reminders")
    op.drop_column("users", "closing_at")
    op.drop_column("users", "guarded_until")
    op.drop_column("users", "initial_until")
    op.drop_column("users", "rights")
    op.drop_index("ix_submissions_at", table_name="submissions")
    op.drop_constraint(op.f("fk_open_stages_claimed_by_users"), "open_stages", type_="foreignkey")
    for column in ("kind", "title", "tail"):
        op.drop_index(f"ix_open_stages_{column}", table_name="open_stages")
        op.drop_column("open_stages", column)
    op.drop_column("open_stages", "claimed_at")
    op.drop_column("open_stages", "claimed_by")
    op.drop_column("logins", "tabs")
    op.drop_column("logins", "place")
    op.drop_index("ix_events_company", table_name="events")
    op.create_index(op.f("ix_events_enterprise_id"), "events", ["enterprise_id"], unique=False)
    op.drop_constraint(op.f("uq_enterprises_org_code"), "enterprises", type_="unique")
    op.drop_index("ix_enterprises_name_id", table_name="enterprises")
    op.alter_column("enterprises", "name", type_=sa.String(collation="default"))
    op.drop_column("enterprises", "closed_at")
    op.drop_column("enterprises", "inspection")
    op.drop_column("enterprises", "access_region")
    op.drop_column("enterprises", "account_type")
    op.drop_column("documents", "given")
    op.drop_index("ix_decisions_at", table_name="decisions")
    op.drop_index("ix_seal_uses_seal", table_name="seal_uses")
    op.drop_table("seal_uses")
    op.drop_index(op.f("ix_seals_enterprise_id"), table_name="seals")
    op.drop_table("seals")
    op.drop_table("register_checks")
    op.drop_index(op.f("ix_proofs_user_id"), table_name="proofs")
    op.drop_index(op.f("ix_proofs_at"), table_name="proofs")
    op.drop_table("proofs")
    op.drop_table("known_devices")
    op.drop_index(op.f("ix_import_clients_user_id"), table_name="import_clients")
    op.drop_index(op.f("ix_import_clients_enterprise_id"), table_name="import_clients")
    op.drop_table("import_clients")
    op.drop_index(op.f("ix_join_requests_enterprise_id"), table_name="join_requests")
    op.drop_table("join_requests")
    op.drop_index("ix_entrustments_client", table_name="entrustments")
    op.drop_index("ix_entrustments_agent", table_name="entrustments")
    op.drop_table("entrustments")
    op.drop_index("ix_agreements_company", table_name="agreements")
    op.drop_table("agreements")
