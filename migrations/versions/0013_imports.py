"""Imports: all or nothing, the workbook of only the wrong rows, sheets that were hidden.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = depends_on = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("is_whole", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("imports", sa.Column("hidden", sa.String(), server_default="", nullable=False))
    op.add_column("imports", sa.Column("wrong_rows_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_imports_wrong_rows_id_files"), "imports", "files", ["wrong_rows_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_imports_wrong_rows_id_files"), "imports", type_="foreignkey")
    for name in ("wrong_rows_id", "hidden", "is_whole"):
        op.drop_column("imports", name)
