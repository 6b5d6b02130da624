"""A CVM keeps the id of the machine that its agent is in.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; agents fill it when they connect."""
    op.add_column("cvms", sa.Column("machine_id", sa.String(), nullable=False, server_default=""))
