"""客户资料 and what 企业资料 and 业务策略 hold besides.

Revision: 0008, after 0007
"""

revision = "0008"
down_revision = "0007"
branch_labels = depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
