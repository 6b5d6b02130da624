"""Whether the files of the agent's TLS mode would make a connection."""

from __future__ import annotations

from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli.diagnose._subject import Subject
from prism_iac.pki import Side, check_certificate

__all__ = ["check_files"]


def check_files(subject: Subject) -> Outcome:
    """Whether the files mean a mode, are valid today, belong together and cover the agent's address."""
    config, mode = subject.record.agent_config, subject.tls_mode
    if config is None:
        return skipped("Prism does not show them to you")
    if mode is None:
        return failed(
            ", ".join(config.files) or "no files",
            cause="the files mean no TLS mode",
            fix="Give the files of one mode: none, tls, mtls, atls or matls.",
        )
    if not config.files:
        return fine(f"mode {mode}, no files")
    run = subject.current_run
    host = run.agent_address.rpartition(":")[0].strip("[]") if run and run.agent_address else ""
    findings = []
    if config.cert_file:
        findings += check_certificate(
            config.cert_file.encode(),
            now=subject.now,
            ca_pem=config.server_ca_file.encode() or None,
            key_pem=config.server_key.encode() or None,
            names=[host] if host else [],
            side=Side.SERVER,
        )
    for authority in (config.server_ca_file, config.client_ca_file):
        if authority:
            findings += check_certificate(authority.encode(), now=subject.now)
    evidence = f"mode {mode}: {', '.join(config.files)}"
    if findings:
        unique = list(dict.fromkeys(findings))
        return failed(
            evidence,
            cause="; ".join(finding.message for finding in unique),
            fix=" ".join(dict.fromkeys(finding.fix for finding in unique)),
        )
    return fine(evidence)
