"""The first message of a control stream: evidence that this VM holds its certificate.

Source: cocos-grpc.md section 5.3.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from prism_iac.attestation import SimulatedGuest
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import load_certificates
from prism_iac.wire.cvms_pb2 import AttestationResponse, ClientStreamMessage

__all__ = ["make_greeting"]


def make_greeting(certificate_file: Path | None, guest: SimulatedGuest | None) -> ClientStreamMessage:
    """An SNP report over SHA-512 of the certificate file, and the certificate's serial number in decimal.

    Empty when there is no certificate; without a report when the VM has no platform.

    Raises:
        InvalidInput: The certificate file cannot be read.
    """
    report = AttestationResponse()
    if certificate_file is not None:
        try:
            certificate = certificate_file.read_bytes()
        except OSError as error:
            raise InvalidInput(
                [
                    Finding(
                        path="AGENT_CVM_GRPC_CLIENT_CERT",
                        message=f"{certificate_file} cannot be read: {error.strerror}",
                        fix="Name the PEM file of the VM's certificate.",
                    )
                ]
            ) from error
        report.certSerialNumber = str(load_certificates(certificate)[0].serial_number)
        if guest is not None:
            report.file = guest.attest(hashlib.sha512(certificate).digest()).report.to_bytes()
    return ClientStreamMessage(vTPMattestationReport=report)
