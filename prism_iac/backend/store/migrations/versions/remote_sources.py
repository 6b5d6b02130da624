"""An asset may say where agents fetch it.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what is there waits for uploads."""
    op.add_column("assets", sa.Column("source", sa.String(), nullable=False, server_default=""))
