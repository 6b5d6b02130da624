from __future__ import annotations

from tests.unit.backend.fixtures import (
    ada,
    ca_folder,
    database,
    lab,
    loop_thread,
    plain_logs,
    postgres_database,
    postgres_url,
    prism,
    snp_report,
    sqlite_template,
)

__all__ = [
    "ada",
    "ca_folder",
    "database",
    "lab",
    "loop_thread",
    "plain_logs",
    "postgres_database",
    "postgres_url",
    "prism",
    "snp_report",
    "sqlite_template",
]
