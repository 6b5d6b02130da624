"""Keys, signatures, certificates and bundles, and a small CA.

Main entries: `Authority`, `issue_bundle`, `issue_parties`, `create_request`, `check_certificate`, `read_certificates`,
`read_ocsp_response`, `parse_public_key`, `sign_role`. The time is passed in; no network, no environment, no files; only keys and serial
numbers use the system's random source. Private keys are PEM bytes inside values that do not print them. Imports
nothing of the package but `model` and `errors`.
"""

from prism_iac.pki._authority import Authority, IssuedCertificate, SignedCertificate
from prism_iac.pki._brought import read_brought
from prism_iac.pki._bundle import Bundle, Hierarchy, Parties, Party, issue_bundle, issue_parties, parties_of
from prism_iac.pki._certificate import (
    common_name_of,
    extensions_of,
    is_authority,
    is_issued_by,
    load_certificates,
    parse_certificate,
    public_key_of,
)
from prism_iac.pki._check import check_certificate
from prism_iac.pki._conversion import read_certificates, read_private_key
from prism_iac.pki._description import CertificateDescription, describe_certificate
from prism_iac.pki._envelope import Envelope, EnvelopeSignature, key_id, pre_authentication_encoding
from prism_iac.pki._key import (
    KeyPair,
    PrivateKey,
    PublicKey,
    generate_key,
    generate_key_pair,
    key_spec,
    load_private_key,
    loose_mode,
    private_pem,
    public_der,
)
from prism_iac.pki._ocsp import Revocation
from prism_iac.pki._ocsp_status import Standing, create_ocsp_request, read_ocsp_response
from prism_iac.pki._profile import Permitted, permitted_by
from prism_iac.pki._public_key import load_public_key, parse_public_key
from prism_iac.pki._request import CertificateRequest, create_request, parse_request
from prism_iac.pki._role_signature import sign_role, verify_role
from prism_iac.pki._side import Side

__all__ = [
    "Authority",
    "Bundle",
    "CertificateDescription",
    "CertificateRequest",
    "Envelope",
    "EnvelopeSignature",
    "Hierarchy",
    "IssuedCertificate",
    "KeyPair",
    "Parties",
    "Party",
    "Permitted",
    "PrivateKey",
    "PublicKey",
    "Revocation",
    "Side",
    "SignedCertificate",
    "Standing",
    "check_certificate",
    "common_name_of",
    "create_ocsp_request",
    "create_request",
    "describe_certificate",
    "extensions_of",
    "generate_key",
    "generate_key_pair",
    "is_authority",
    "is_issued_by",
    "issue_bundle",
    "issue_parties",
    "key_id",
    "key_spec",
    "load_certificates",
    "load_private_key",
    "load_public_key",
    "loose_mode",
    "parse_certificate",
    "parse_public_key",
    "parse_request",
    "parties_of",
    "permitted_by",
    "pre_authentication_encoding",
    "private_pem",
    "public_der",
    "public_key_of",
    "read_brought",
    "read_certificates",
    "read_ocsp_response",
    "read_private_key",
    "sign_role",
    "verify_role",
]
