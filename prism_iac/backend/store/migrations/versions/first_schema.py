"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    _people()
    _definitions()
    _machines()
    _runs()
    _requests()


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("profile_picture", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("is_platform_administrator", sa.Boolean(), nullable=False),
        sa.Column("sessions_from", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("username", name="uq_users_username"),
    )
    op.create_index("ix_users_created_at", "users", ["created_at"])
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_workspaces_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("alias", name="uq_workspaces_alias"),
    )
    op.create_index("ix_workspaces_created_at", "workspaces", ["created_at"])


def _definitions() -> None:
    op.create_table(
        "computations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("start_time", sa.DateTime(), nullable=True),
        sa.Column("end_time", sa.DateTime(), nullable=True),
        sa.Column("log_level", sa.String(), nullable=False),
        sa.Column("cert_file", sa.String(), nullable=False),
        sa.Column("server_key", sa.String(), nullable=False),
        sa.Column("server_ca_file", sa.String(), nullable=False),
        sa.Column("client_ca_file", sa.String(), nullable=False),
        sa.Column("attested_tls", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_computations_owner"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_computations_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_computations"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_computations_workspace_id_name"),
    )
    op.create_index(
        "ix_computations_workspace_id_created_at_id", "computations", ["workspace_id", "created_at", "id"]
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("computation_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_roles_computation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("entity_id", "name", name="uq_roles_entity_id_name"),
    )
    op.create_index("ix_roles_computation_id", "roles", ["computation_id"])
    op.create_table(
        "role_members",
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("role_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name="fk_role_members_role_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_role_members_user_id"),
        sa.PrimaryKeyConstraint("entity_id", "user_id", name="pk_role_members"),
    )
    op.create_index("ix_role_members_role_id", "role_members", ["role_id"])
    op.create_index("ix_role_members_user_id", "role_members", ["user_id"])
    op.create_table(
        "invitations",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("invitee", sa.String(), nullable=False),
        sa.Column("invited_by", sa.String(), nullable=False),
        sa.Column("role_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["invited_by"], ["users.id"], name="fk_invitations_invited_by"),
        sa.ForeignKeyConstraint(["invitee"], ["users.id"], name="fk_invitations_invitee"),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name="fk_invitations_role_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_invitations_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "invitee", name="pk_invitations"),
    )
    op.create_index("ix_invitations_invitee", "invitations", ["invitee"])
    op.create_index("ix_invitations_role_id", "invitations", ["role_id"])
    op.create_table(
        "assets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column("user_key", sa.String(), nullable=False),
        sa.Column("sample", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_assets_user_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_assets_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
    )
    op.create_index("ix_assets_workspace_id_created_at_id", "assets", ["workspace_id", "created_at", "id"])
    op.create_table(
        "asset_links",
        sa.Column("computation_id", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_asset_links_asset_id"),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_asset_links_computation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("computation_id", "asset_id", name="pk_asset_links"),
    )
    op.create_index("ix_asset_links_asset_id", "asset_links", ["asset_id"])
    op.create_table(
        "public_keys",
        sa.Column("computation_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_public_keys_computation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_public_keys_user_id"),
        sa.PrimaryKeyConstraint("computation_id", "user_id", name="pk_public_keys"),
    )


def _machines() -> None:
    op.create_table(
        "cvms",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("cc_platform", sa.String(), nullable=False),
        sa.Column("agent_log_level", sa.String(), nullable=False),
        sa.Column("agent_url", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("must_reset", sa.Boolean(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_cvms_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cvms"),
    )
    op.create_index("ix_cvms_workspace_id_created_at_id", "cvms", ["workspace_id", "created_at", "id"])
    op.create_table(
        "cvm_presence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cvm_id", sa.String(), nullable=False),
        sa.Column("timestamp", sa.DateTime(), nullable=False),
        sa.Column("is_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["cvm_id"], ["cvms.id"], name="fk_cvm_presence_cvm_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cvm_presence"),
    )
    op.create_index("ix_cvm_presence_cvm_id_timestamp", "cvm_presence", ["cvm_id", "timestamp"])
    op.create_table(
        "certificates",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("entity_type", sa.String(), nullable=False),
        sa.Column("certificate_pem", sa.String(), nullable=False),
        sa.Column("key_pem", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("expiry_time", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_certificates_workspace_id"),
        sa.PrimaryKeyConstraint("serial", name="pk_certificates"),
    )
    op.create_index("ix_certificates_entity_id_issued_at", "certificates", ["entity_id", "issued_at"])
    op.create_index("ix_certificates_workspace_id_issued_at", "certificates", ["workspace_id", "issued_at"])
    op.create_table(
        "download_tokens",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_download_tokens"),
    )
    op.create_index("ix_download_tokens_expires_at", "download_tokens", ["expires_at"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("computation_id", sa.String(), nullable=False),
        sa.Column("cvm_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("agent_url", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("start_time", sa.DateTime(), nullable=False),
        sa.Column("end_time", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_runs_computation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["cvm_id"], ["cvms.id"], name="fk_runs_cvm_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_runs_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_computation_id_number", "runs", ["computation_id", "number"], unique=True)
    op.create_index("ix_runs_cvm_id_start_time", "runs", ["cvm_id", "start_time"])
    op.create_index("ix_runs_workspace_id_start_time_id", "runs", ["workspace_id", "start_time", "id"])
    op.create_index(
        "uq_runs_active_computation",
        "runs",
        ["computation_id"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "uq_runs_active_cvm",
        "runs",
        ["cvm_id"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "events",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("computation_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("cvm_id", sa.String(), nullable=False),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("originator", sa.String(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_events_computation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_events_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
    )
    op.create_index(
        "ix_events_computation_id_timestamp_sequence", "events", ["computation_id", "timestamp", "sequence"]
    )
    op.create_index("ix_events_run_id", "events", ["run_id"])
    op.create_table(
        "logs",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("computation_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("timestamp", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["computation_id"], ["computations.id"], name="fk_logs_computation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_logs_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence", name="pk_logs"),
    )
    op.create_index(
        "ix_logs_computation_id_timestamp_sequence", "logs", ["computation_id", "timestamp", "sequence"]
    )
    op.create_index("ix_logs_run_id", "logs", ["run_id"])


def _requests() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_keys_user_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_idempotency_keys_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "route", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_record_id", "idempotency_keys", ["record_id"])
