"""The job queue: the schema of Procrastinate as its installed version brings it.

Revision: 0001, first
"""

from importlib.resources import files

from alembic import op

revision = "0001"
down_revision = None
branch_labels = depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute((files("procrastinate") / "sql" / "schema.sql").read_bytes())


def downgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute(
        "SELECT 'DROP TABLE ' || string_agg(quote_ident(tablename), ', ') || ' CASCADE' FROM pg_tables"
        " WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate_%'"
    )
    cursor.execute(cursor.fetchone()[0])
    cursor.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = current_schema() AND p.proname LIKE 'procrastinate_%'"
    )
    for (function,) in cursor.fetchall():
        cursor.execute(f"DROP FUNCTION {function} CASCADE")
    cursor.execute(
        "SELECT quote_ident(t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = current_schema() AND t.typname LIKE 'procrastinate_%' AND t.typtype IN ('e', 'c')"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP TYPE IF EXISTS {name} CASCADE")
