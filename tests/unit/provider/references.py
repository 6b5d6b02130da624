"""How state names the provider of each kind: the exact text of `__provider`.

A frozen interface: refresh and destroy run whatever an old state names. The text is a pickle by reference,
module `prism_iac.provider.dynamic` and a class in it, of protocol 4, the default up to Python 3.13. Made by
`pulumi.dynamic.dynamic.serialize_provider` of SDK 3.259.0.
"""

from __future__ import annotations

from typing import Final

REFERENCE_PROTOCOL: Final = 4

REFERENCES: Final = {
    "Asset": "gASVMwAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwNQXNzZXRQcm92aWRlcpSTlCmBlC4=",
    "AttestationPolicy": "gASVPwAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwZQXR0ZXN0YXRpb25Qb2xpY3lQcm92aWRlcpSTlCmBlC4=",
    "CertificateBundle": "gASVPwAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwZQ2VydGlmaWNhdGVCdW5kbGVQcm92aWRlcpSTlCmBlC4=",
    "Computation": "gASVOQAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwTQ29tcHV0YXRpb25Qcm92aWRlcpSTlCmBlC4=",
    "ComputationRun": "gASVPAAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwWQ29tcHV0YXRpb25SdW5Qcm92aWRlcpSTlCmBlC4=",
    "ConfidentialVM": "gASVPAAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwWQ29uZmlkZW50aWFsVk1Qcm92aWRlcpSTlCmBlC4=",
    "Participant": "gASVOQAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwTUGFydGljaXBhbnRQcm92aWRlcpSTlCmBlC4=",
    "PublicKey": "gASVNwAAAAAAAACMGnByaXNtX2lhYy5wcm92aWRlci5keW5hbWljlIwRUHVibGljS2V5UHJvdmlkZXKUk5QpgZQu",
}
