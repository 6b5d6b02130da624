"""The first message of a control stream: evidence that this VM holds its certificate.

Source: cocos-grpc.md section 5.3.
"""

from __future__ import annotations

import hashlib

from prism_iac.agent._protocol import EvidenceType
from prism_iac.agent.server._evidence import EvidenceSource, NoPlatform
from prism_iac.agent.server._settings import Settings
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import load_certificates
from prism_iac.wire.cvms_pb2 import AttestationResponse, ClientStreamMessage

__all__ = ["make_greeting"]


def make_greeting(settings: Settings, evidence: EvidenceSource) -> ClientStreamMessage:
    """Evidence over SHA-512 of the certificate file, and the certificate's serial number in decimal.

    Empty when there is no certificate; without evidence when the VM has no platform.

    Raises:
        InvalidInput: The certificate file cannot be read.
    """
    report = AttestationResponse()
    if settings.client_certificate is not None:
        try:
            certificate = settings.client_certificate.read_bytes()
        except OSError as error:
            raise InvalidInput(
                [
                    Finding(
                        path="AGENT_CVM_GRPC_CLIENT_CERT",
                        message=f"{settings.client_certificate} cannot be read: {error.strerror}",
                        fix="Name the PEM file of the VM's certificate.",
                    )
                ]
            ) from error
        report.certSerialNumber = str(load_certificates(certificate)[0].serial_number)
        if not isinstance(evidence, NoPlatform):
            report.file = evidence.produce(EvidenceType.SNP, hashlib.sha512(certificate).digest())
    return ClientStreamMessage(vTPMattestationReport=report)
