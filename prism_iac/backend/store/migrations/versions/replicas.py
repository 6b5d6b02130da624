"""Several instances work on one database: they share keys, failed logins, and who is connected.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a column, and two tables that fill as they are needed."""
    op.add_column("cvms", sa.Column("beat", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "instance_keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_instance_keys"),
    )
    op.create_table(
        "login_failures",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("under_way", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_account_at", "login_failures", ["account", "at"])
    op.create_index("ix_login_failures_at", "login_failures", ["at"])
